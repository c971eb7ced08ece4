// Before anything is drawn: with a script, one view is shown at a time.
document.documentElement.classList.add("js");
window.emoword = {};
