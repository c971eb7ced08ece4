// The map of the word space: every prediction a dot, to hover, play, zoom, and query by a word.
// #map?model=M3&q=relief   Places and vectors are as emoword.page.space packs them.
"use strict";

window.emoword.map_view = (tools) => {
  const { h, bdi, visible, get, list, truth, load, shownLabel, playButton, play, row, head, listing, evens, linkTo } = tools;
  const NOWHERE = -32768;
  const REACH = 9; // how far a pointer reaches, in pixels
  const canvas = get("space");
  const form = get("ask");
  const context = canvas.getContext("2d");
  const part = list.id.map((_, i) => i).filter((i) => truth[i] >= 0);
  const unpack = (text, Kind) => new Kind(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
  let space; // what of it hangs on no seed
  let dots; // the places of the model's predictions
  let own; // its data
  let found = []; // places in `part`, nearest to the word first
  let whole; // the middle, and the width and height, of all there is
  let view;
  let chosen = -1;

  // ------------------------------------------------------------------------------------ drawing

  let fit = { width: 0, height: 0, size: 1 }; // of the canvas as drawn: asking it for each dot is slow
  const across = (places, k) => fit.width / 2 + (places[2 * k] - view.x) * fit.size;
  const down = (places, k) => fit.height / 2 - (places[2 * k + 1] - view.y) * fit.size;

  function disc(x, y, radius, colour, open) {
    context.beginPath();
    context.arc(x, y, radius, 0, 7);
    context[open ? "strokeStyle" : "fillStyle"] = colour;
    if (open) context.stroke();
    else context.fill();
  }

  function measure(...parts) {
    const ends = [0, 1].map((axis) => parts.reduce(([low, high], places) => {
      for (let k = axis; k < places.length; k += 2) {
        if (places[k] !== NOWHERE) [low, high] = [Math.min(low, places[k]), Math.max(high, places[k])];
      }
      return [low, high];
    }, [Infinity, -Infinity]));
    const [[left, right], [bottom, top]] = ends;
    return { x: (left + right) / 2, y: (bottom + top) / 2, wide: right - left || 1, tall: top - bottom || 1 };
  }

  function draw() {
    if (!dots || !canvas.clientWidth) return;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    fit = { width, height, size: 0.9 * view.scale * Math.min(width / whole.wide, height / whole.tall) };
    const look = getComputedStyle(canvas);
    const colour = (name) => look.getPropertyValue(`--${name}`).trim();
    const classes = list.classes.map((_, k) => colour(`class-${k}`) || colour("faint"));
    const ratio = window.devicePixelRatio || 1;
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.globalAlpha = 0.55;
    part.forEach((i, k) => {
      if (dots[2 * k] !== NOWHERE) disc(across(dots, k), down(dots, k), 2.2, classes[truth[i]]);
    });
    context.globalAlpha = 1;
    if (form.elements.targets.checked) {
      const of = unpackTargets();
      for (let k = 0; k < of.length / 2; k++) {
        const [x, y] = [across(of, k), down(of, k)];
        context.fillStyle = colour("ink");
        context.fillRect(x - 1.5, y - 1.5, 3, 3);
      }
    }
    context.lineWidth = 1.5;
    for (const k of found) disc(across(dots, k), down(dots, k), 5, colour("accent"), true);
    if (chosen >= 0) disc(across(dots, chosen), down(dots, chosen), 7, colour("ink"), true);
    if (form.elements.words.checked) write(colour);
  }

  // A word is written where there is room for it: labels first, more of them the nearer one looks.
  function write(colour) {
    const taken = [];
    const family = getComputedStyle(document.body).fontFamily;
    space.words.forEach(([word, kind], k) => {
      const [x, y] = [across(space.spots, k), down(space.spots, k)];
      if (!(x > 0 && y > 0 && x < fit.width && y < fit.height)) return;
      context.font = `${kind === "label" ? "bold 14px" : "12px"} ${family}`;
      const text = visible(word).slice(0, 30);
      const box = [x + 4, y - 8, x + 6 + context.measureText(text).width, y + 8];
      if (taken.some((other) => box[0] < other[2] && other[0] < box[2] && box[1] < other[3] && other[1] < box[3])) return;
      taken.push(box);
      disc(x, y, kind === "label" ? 3.5 : 2, colour("ink"));
      context.lineWidth = 3;
      context.strokeStyle = colour("ground");
      context.strokeText(text, x + 5, y + 4);
      context.fillStyle = colour(kind === "rater" ? "faint" : "ink");
      context.fillText(text, x + 5, y + 4);
    });
  }

  const unpackTargets = () => unpack(space.targets[`S${form.elements.model.value.slice(1)}`] ?? "", Int16Array);

  // ------------------------------------------------------------------------------------- asking

  // Cosine similarities of one word with every prediction, from the directions that were kept.
  function similarities(word) {
    const { vectors, scale } = own;
    const kept = scale.length;
    const weights = scale.map((step, d) => step * space.scale[d] * space.kept[word * kept + d]);
    return part.map((_, k) => weights.reduce((sum, weight, d) => sum + weight * vectors[k * kept + d], 0));
  }

  async function answer() {
    const word = form.elements.q.value.trim();
    const place = space.asked.indexOf(word);
    found = [];
    const said = get("answer");
    const command = tools.paste(
      `emoword query ${document.body.dataset.results} ${tools.quoted(word)} --model ${form.elements.model.value}`);
    if (!word) said.replaceChildren();
    else if (place < 0) {
      said.replaceChildren(h("p", {}, bdi(word), ` is not among the ${space.asked.length.toLocaleString("en")} words that this page can be asked for. All ${space.total.toLocaleString("en")}: `), command);
    } else {
      const near = similarities(place);
      found = part.map((_, k) => k).filter((k) => dots[2 * k] !== NOWHERE)
        .sort((a, b) => near[b] - near[a]).slice(0, 20);
      const details = await load("details");
      const raters = Object.values(details.sets).pop();
      const heads = [head(h("span", { class: "unseen" }, "play"), true), head("utterance", true), "similarity"];
      heads.push(head("ground truth", true), head("raters' words", true));
      const rows = found.map((k) => {
        const i = part[k];
        const words = evens(raters[i]).map((w) => details.words[w]);
        return row(h("td", {}, playButton(i)), h("th", { scope: "row" }, linkTo(i)),
          tools.number(near[k].toFixed(3)), h("td", { class: "left" }, bdi(shownLabel(i))),
          h("td", { class: "left words" }, ...listing(words.map((one) => (one === word ? h("mark", {}, bdi(one)) : bdi(one))))));
      });
      said.replaceChildren(
        h("h2", {}, "Nearest to ", bdi(word)),
        tools.tabular("Nearest utterances", heads, rows, "plain results found"),
        h("p", { class: "small" }, `Similarities are of ${own.scale.length} of ${space.dim} dimensions: off by ${space.error[0]} on average, at most ${space.error[1]}. Exact: `),
        command);
    }
    draw();
  }

  // ------------------------------------------------------------------------------------ pointing

  function nearest(x, y) {
    let [best, least] = [-1, REACH ** 2];
    for (let k = 0; k < part.length; k++) {
      if (dots[2 * k] === NOWHERE) continue;
      const far = (across(dots, k) - x) ** 2 + (down(dots, k) - y) ** 2;
      if (far < least) [best, least] = [k, far];
    }
    return best;
  }

  function point(event) {
    const k = nearest(event.offsetX, event.offsetY);
    const tip = get("tip");
    tip.hidden = k < 0;
    canvas.classList.toggle("over", k >= 0);
    if (k < 0) return;
    tip.replaceChildren(bdi(shownLabel(part[k])), h("small", {}, " ", bdi(list.id[part[k]])));
    tip.style.left = `${Math.min(event.offsetX + 12, fit.width - 150)}px`;
    tip.style.top = `${event.offsetY + 14}px`;
  }

  async function choose(k) {
    chosen = k;
    draw();
    const said = get("chosen");
    if (k < 0) return said.replaceChildren();
    const seed = form.elements.seed.value;
    const near = await load(`nearest-${seed}`);
    const cells = near.lists[near.of[form.elements.model.value]?.[part[k]]] ?? [];
    const words = evens(cells).slice(0, 5).map((w) => bdi(near.words[w]));
    said.replaceChildren(playButton(part[k]), " ", linkTo(part[k]), ": ", bdi(shownLabel(part[k])),
      ". Nearest words: ", ...listing(words), ".");
    play(part[k]);
  }

  function zoom(factor, x = fit.width / 2, y = fit.height / 2) {
    const scale = Math.min(60, Math.max(1, view.scale * factor));
    const [left, up] = [(x - fit.width / 2) / fit.size, (fit.height / 2 - y) / fit.size];
    const kept = 1 - view.scale / scale;
    view = scale === 1 ? { scale, x: whole.x, y: whole.y } : { scale, x: view.x + left * kept, y: view.y + up * kept };
    canvas.classList.toggle("near", scale > 1);
    draw();
  }

  const move = (x, y) => {
    view = { ...view, x: view.x - x / fit.size, y: view.y + y / fit.size };
    draw();
  };
  let from = null;
  canvas.addEventListener("pointerdown", (event) => { from = [event.offsetX, event.offsetY, false]; });
  canvas.addEventListener("pointermove", (event) => {
    if (!from || !event.buttons || view.scale === 1) return point(event);
    const [x, y] = [event.offsetX - from[0], event.offsetY - from[1]];
    if (!from[2] && Math.abs(x) + Math.abs(y) < 4) return undefined;
    from = [event.offsetX, event.offsetY, true];
    return move(x, y);
  });
  canvas.addEventListener("pointerup", (event) => {
    if (from && !from[2]) choose(nearest(event.offsetX, event.offsetY));
    from = null;
  });
  canvas.addEventListener("pointerleave", () => { get("tip").hidden = true; });
  canvas.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && document.activeElement !== canvas) return; // else the page scrolls
    event.preventDefault();
    zoom(event.deltaY < 0 ? 1.25 : 0.8, event.offsetX, event.offsetY);
  }, { passive: false });
  const KEYS = {
    "+": () => zoom(1.5), "=": () => zoom(1.5), "-": () => zoom(1 / 1.5), 0: () => zoom(0),
    ArrowLeft: () => move(40, 0), ArrowRight: () => move(-40, 0), ArrowUp: () => move(0, 40), ArrowDown: () => move(0, -40),
  };
  canvas.addEventListener("keydown", (event) => {
    if (!KEYS[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    KEYS[event.key]();
  });
  for (const button of document.querySelectorAll("#map [data-zoom]")) {
    button.addEventListener("click", () => zoom(Number(button.dataset.zoom)));
  }
  new ResizeObserver(draw).observe(canvas);
  tools.dark.addEventListener("change", draw);

  // -------------------------------------------------------------------------------------- state

  async function show(query) {
    space ??= await load("map");
    space.spots ??= unpack(space.places, Int16Array);
    space.kept ??= unpack(space.vectors, Int8Array);
    for (const name of ["model", "seed", "q"]) {
      const element = form.elements[name];
      element.value = query.get(name) ?? (name === "q" ? "" : element.options[0].value);
      if (name !== "q" && element.selectedIndex < 0) element.selectedIndex = 0;
    }
    const model = (await load(`map-${form.elements.seed.value}`))[form.elements.model.value];
    own = { ...model, vectors: unpack(model.vectors, Int8Array) };
    dots = unpack(model.places, Int16Array);
    whole = measure(space.spots, dots);
    view = { scale: 1, x: whole.x, y: whole.y };
    choose(-1);
    const shares = space.variance.map((share) => `${(100 * share).toFixed(0)}%`);
    get("variance").textContent = `Across, up: first and second principal component of the labels and the words near them and near the mean predictions; they hold ${shares.join(" and ")} of these words' variance. What lies far apart here is far apart; what lies close may not be.`;
    canvas.setAttribute("aria-label", `Map of ${space.words.length} words and the predictions of ${form.elements.model.value} for ${part.length} utterances, coloured by ground truth. Keys: plus, minus, arrows, 0.`);
    answer();
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const data = [...new FormData(form)].filter(([name, value]) =>
      ["q", "model", "seed"].includes(name) && value !== "" && value !== form.elements[name].options?.[0].value);
    location.hash = `#map${data.length ? `?${new URLSearchParams(data)}` : ""}`;
  });
  form.addEventListener("change", (event) => {
    if (event.target.type === "checkbox") draw();
    else form.requestSubmit();
  });
  return show;
};
