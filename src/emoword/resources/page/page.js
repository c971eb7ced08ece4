// The page's views. The address after # says what is shown, so that any view can be sent:
//   #utterances?label=anger&M1=wrong&q=tense   #utterance/ID?seed=0   #trace/1/M1/LC%20UA   #run/FOLDER
//   #map?model=M3&q=relief (map.js)
// Everything that is shown is put there as text, never as HTML. emoword.page.data says what the data
// are; they come as scripts, since a page from disk may load nothing else.
"use strict";

(() => {
  const list = window.emoword.utterances;
  const models = Object.keys(list.decided);
  // The place of an utterance's class; -1: it has none, or was not asked.
  const digit = (text, i) => (text && text[i] !== "." ? parseInt(text[i], 36) : -1);
  const truth = list.id.map((_, i) => digit(list.truth, i));
  const decided = (model, i, seed) => digit(list.decided[model][seed], i);
  const byId = new Map(list.id.map((id, i) => [id, i]));
  const get = (id) => document.getElementById(id);

  // ------------------------------------------------------------------------------ small tools

  // What has no shape or turns text round is shown as its number, as emoword.page.visible does.
  const UNSEEN =
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g;
  const visible = (text) =>
    String(text).replace(
      UNSEEN,
      (c) => `⟨U+${c.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`,
    );

  const fill = (element, properties, children) => {
    for (const [name, value] of Object.entries(properties)) {
      if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children.flat().filter((child) => child !== null && child !== undefined));
    return element;
  };
  const h = (tag, properties = {}, ...children) =>
    fill(document.createElement(tag), properties, children);
  const svg = (tag, properties = {}, ...children) =>
    fill(document.createElementNS("http://www.w3.org/2000/svg", tag), properties, children);
  const bdi = (text) => h("bdi", {}, visible(text));
  const row = (...cells) => h("tr", {}, ...cells);
  const scroll = (label, ...children) =>
    h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": label }, ...children);
  const facts = (pairs) =>
    h("dl", { class: "facts" }, ...pairs.map(([name, ...value]) =>
      h("div", {}, h("dt", {}, name), h("dd", {}, ...value))));
  const head = (name, left = false) => h("th", { scope: "col", class: left && "left" }, name);
  // A table that scrolls by itself; its heads are names, or cells.
  const tabular = (label, heads, rows, kind = "plain results") =>
    scroll(label, h("table", { class: kind },
      h("thead", {}, row(...heads.map((name) => (typeof name === "string" ? head(name) : name)))),
      h("tbody", {}, ...rows)));
  const listing = (items) => items.flatMap((item, k) => [k ? ", " : "", item]);
  const evens = (cells) => cells.filter((_, k) => k % 2 === 0); // the words of [word, number, ...]
  const thousandths = (value) => (value / 1000).toFixed(3);
  const number = (value) => h("td", { class: "number" }, value);
  const exact = (value) => number(value === null ? "–" : value.toFixed(6));
  const addressOf = (i) => `#utterance/${encodeURIComponent(list.id[i])}`;
  const linkTo = (i) => h("a", { href: addressOf(i) }, bdi(list.id[i]));
  // For a shell.
  const quoted = (text) => (/^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'"'"'`)}'`);

  const loaded = new Map();
  function load(name) {
    if (!loaded.has(name)) {
      loaded.set(name, new Promise((resolve, reject) => {
        const script = h("script", { src: `${encodeURIComponent(name)}.js` });
        script.onload = () => resolve(window.emoword[name]);
        script.onerror = () => reject(new Error(`${name}.js is not beside this page`));
        document.head.append(script);
      }));
    }
    return loaded.get(name);
  }

  // -------------------------------------------------------------------------------- addresses

  const VIEWS = [...document.querySelectorAll("section.view")].map((section) => section.id);
  const decode = (text) => {
    try {
      return decodeURIComponent(text);
    } catch {
      return text;
    }
  };

  function address() {
    const [path, query = ""] = location.hash.slice(1).split(/\?(.*)/s);
    const [view, ...rest] = path.split("/");
    return { view: view || "overview", rest: rest.map(decode), query: new URLSearchParams(query) };
  }

  function show(view, title) {
    for (const name of VIEWS) get(name).hidden = name !== view;
    const section = get(view);
    const heading = section.querySelector("h1");
    if (title !== undefined) heading.replaceChildren(bdi(title));
    document.title = `${visible(heading.textContent)} · ${document.body.dataset.dataset} · emoword`;
    const chapter = { utterance: "utterances", trace: "tables", run: "runs" }[view] ?? view;
    for (const link of document.querySelectorAll("nav a")) {
      if (link.hash === `#${chapter}`) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    return heading;
  }

  const RENDER = {
    utterances: showList, utterance: showUtterance, trace: showTrace, run: showRun, figures: showFigures, map: showMap,
  };

  async function route(event) {
    const { view, rest, query } = address();
    let heading;
    silence();
    if (!VIEWS.includes(view)) heading = show("lost");
    else if (RENDER[view]) heading = await RENDER[view](rest, query).catch(failed);
    else heading = show(view);
    const place = view === "tables" && rest.length ? get(`table${rest[0]}`) : null;
    if (place) place.scrollIntoView();
    else if (event) {
      window.scrollTo(0, 0);
      heading?.focus({ preventScroll: true });
    }
  }

  function failed(error) {
    const heading = show("lost", "This cannot be shown");
    get("lost-reason").textContent = `${error.message}.`;
    return heading;
  }

  // ------------------------------------------------------------------------ the list of utterances

  const form = get("filters");
  let table = null;
  let texts = null; // what free text is searched in, by utterance, once it has been loaded
  let kept = [];
  let listed = ""; // the address of what the list shows
  let scrolled = 0;

  function options(select, values) {
    select.append(...values.map((value) => h("option", { value }, visible(value))));
  }

  function readForm() {
    const data = new FormData(form);
    return Object.fromEntries([...data].filter(([name, value]) =>
      value !== "" && !(name === "seed" && value === list.seeds[0])));
  }

  function predicate(wanted, seed) {
    const terms = termsOf(wanted.q);
    const asked = models.filter((model) => wanted[model]);
    return (i) => {
      const inside = truth[i] >= 0;
      if (wanted.part !== "all" && inside === (wanted.part === "out")) return false;
      if (wanted.label && shownLabel(i) !== wanted.label) return false;
      if (wanted.fold && String(list.fold[i]) !== wanted.fold) return false;
      if (wanted.speaker && list.speakers[list.speaker[i]] !== wanted.speaker) return false;
      if (wanted.style && list.styles[list.style[i]] !== wanted.style) return false;
      if (wanted.models && (wanted.models === "disagree") !== answers(i, seed) > 1) return false;
      for (const model of asked) {
        const own = decided(model, i, seed);
        if (own < 0) return false;
        const held = { right: own === truth[i], wrong: own !== truth[i] };
        if (!(held[wanted[model]] ?? `as ${list.classes[own]}` === wanted[model])) return false;
      }
      const text = texts ? texts[i] : list.id[i].toLowerCase();
      return terms.every((term) => text.includes(term));
    };
  }

  // How many different decisions the models took.
  const answers = (i, seed) => new Set(models.map((model) => decided(model, i, seed)).filter((own) => own >= 0)).size;

  const shownLabel = (i) =>
    truth[i] >= 0 ? list.classes[truth[i]] : list.labels[list.label[i]] || "no majority";

  const seedNow = () => form.elements.seed.value || list.seeds[0];

  function decision(model, i) {
    const own = decided(model, i, seedNow());
    return own < 0 ? "" : `${own === truth[i] ? "✓" : "✗"} ${list.classes[own]}`;
  }

  async function gatherTexts() {
    const seed = seedNow();
    const [details, near] = await Promise.all([load("details"), load(`nearest-${seed}`)]);
    const heard = near.lists.map((cells) => evens(cells).map((w) => near.words[w]).join(" "));
    const columns = Object.values(near.of);
    const sets = Object.values(details.sets);
    texts = list.id.map((id, i) => [
      id,
      ...details.notes[i].map((note) => note[6].map((text) => details.texts[text]).join(" ")),
      ...sets.map((set) => evens(set[i]).map((w) => details.words[w]).join(" ")),
      ...columns.map((of) => heard[of[i]] ?? ""),
    ].join("\n").toLowerCase());
    texts.seed = seed;
  }

  const termsOf = (text) => (text ?? "").toLowerCase().split(/\s+/).filter(Boolean);

  // The words of an utterance's texts that hold what was searched for, the hits marked.
  function hits(i) {
    const terms = termsOf(form.elements.q.value);
    if (!texts || !terms.length) return "";
    const words = new Set(texts[i].split(/\s+/).filter((word) => terms.some((term) => word.includes(term))));
    return h("span", {}, ...listing([...words].slice(0, 3).map((word) => {
      const term = terms.find((one) => word.includes(one));
      const at = word.indexOf(term);
      return h("bdi", {}, visible(word.slice(0, at)), h("mark", {}, visible(term)), visible(word.slice(at + term.length)));
    })));
  }

  function makeTable() {
    options(form.elements.label, [...new Set(list.id.map((_, i) => shownLabel(i)))].sort());
    options(form.elements.fold, [...new Set(list.fold)].sort((a, b) => a - b).map(String));
    options(form.elements.speaker, [...list.speakers].sort());
    options(form.elements.style, [...list.styles].filter(Boolean).sort());
    for (const model of models) {
      form.elements[model].append(h("optgroup", { label: "predicted as" },
        ...list.classes.map((name) => h("option", { value: `as ${name}` }, visible(name)))));
    }
    options(form.elements.seed, list.seeds);
    const marked = (text) => h("span", {}, text.slice(0, 1), h("bdi", {}, visible(text.slice(1))));
    // What is sorted and saved is a text, of an utterance; what is shown is an element.
    const column = (title, text, className = "", element = (i) => bdi(text(i))) => ({
      title, data: null, className, orderable: Boolean(title) && title !== "found",
      render: (i, type) => (type === "display" ? element(i) : text(i)),
    });
    const disputed = list.id.map((_, i) => answers(i, list.seeds[0]));
    window.DataTable.ext.errMode = "throw";
    table = new window.DataTable("#list", {
      // those on which models disagree come first
      data: list.id.map((_, i) => i).sort((a, b) => disputed[b] - disputed[a]),
      columns: [
        column("", () => "", "sound", playButton),
        column("utterance", (i) => list.id[i], "id", linkTo),
        column("found", () => "", "found"),
        column("speaker", (i) => list.speakers[list.speaker[i]], "more"),
        column("fold", (i) => list.fold[i], "more"),
        column("style", (i) => list.styles[list.style[i]], "most"),
        column("label", shownLabel),
        ...models.map((model) => column(model, (i) => decision(model, i), "decision", (i) => marked(decision(model, i)))),
      ],
      drawCallback: () => {
        for (const cell of document.querySelectorAll("#list td.found")) {
          cell.replaceChildren(hits(Number(cell.parentElement.dataset.i)));
        }
      },
      createdRow: (tr, i) => {
        tr.dataset.i = i;
        models.forEach((model, k) => {
          const mark = decision(model, i)[0];
          if (mark) tr.querySelectorAll(".decision")[k]?.classList.add(mark === "✓" ? "right" : "wrong");
        });
      },
      order: [],
      autoWidth: false,
      deferRender: true,
      scrollY: "60vh",
      scroller: { loadingIndicator: false, displayBuffer: 5 },
      layout: { topStart: null, topEnd: null, bottomStart: "info", bottomEnd: { buttons: [{
        extend: "csv",
        text: "Save these as CSV",
        filename: "utterances",
        exportOptions: { orthogonal: "sort", escapeExcelFormula: true, columns: ":not(.sound, .found)" },
      }] } },
      language: {
        info: "_TOTAL_ utterances",
        infoFiltered: "of _MAX_",
        infoEmpty: "No utterances",
        emptyTable: "No utterances",
        zeroRecords: "None is as asked for. Clear a filter.",
      },
    });
    const scroller = document.querySelector("#utterances .dt-scroll-body");
    fill(scroller, { tabindex: 0, role: "region", "aria-label": "List of utterances" }, []);
    scroller.addEventListener("scroll", () => {
      if (!get("utterances").hidden) scrolled = scroller.scrollTop;
    });
    narrow();
    for (const width of WIDTHS) width.addEventListener("change", narrow);
  }

  const WIDTHS = [window.matchMedia("(max-width: 46rem)"), window.matchMedia("(max-width: 62rem)")];
  function narrow() {
    const searched = Boolean(form.elements.q.value);
    table.columns(".more").visible(!WIDTHS[0].matches && !searched, false);
    table.columns(".most").visible(!WIDTHS[1].matches && !searched, false);
    table.columns(".found").visible(!WIDTHS[0].matches && searched, false);
    table.columns.adjust();
  }

  async function filter() {
    const wanted = readForm();
    if (wanted.q && !texts) await gatherTexts();
    const keep = predicate(wanted, seedNow());
    narrow();
    table.search.fixed("filters", (_, i) => keep(i));
    table.draw();
    kept = table.rows({ search: "applied", order: "applied" }).data().toArray();
  }

  let lastList = "#utterances";
  function remember() {
    const query = new URLSearchParams(readForm()).toString();
    lastList = `#utterances${query ? `?${query}` : ""}`;
  }

  async function showList(_, query) {
    const heading = show("utterances");
    if (!table) makeTable();
    for (const element of form.elements) {
      if (!element.name) continue;
      const fallback = element.name === "seed" ? list.seeds[0] : "";
      element.value = query.get(element.name) ?? fallback;
      if (element.value === "") element.value = fallback; // an option that is not there
    }
    if (seedNow() !== (texts?.seed ?? seedNow())) texts = null;
    remember();
    table.columns.adjust();
    if (listed === lastList) {
      document.querySelector("#utterances .dt-scroll-body").scrollTop = scrolled;
    } else {
      await filter();
      listed = lastList;
    }
    return heading;
  }

  let timer = 0;
  async function changed(event) {
    if (event.target.name === "seed") {
      texts = null;
      table.rows().invalidate("data");
    }
    await filter();
    remember();
    listed = lastList;
    history.replaceState(null, "", lastList);
  }
  form.addEventListener("input", (event) => {
    clearTimeout(timer);
    timer = setTimeout(changed, event.target.type === "search" ? 120 : 0, event);
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    location.hash = "#utterances";
  });

  // On paper all rows of the list, not those that are scrolled to.
  window.addEventListener("beforeprint", () => {
    for (const image of document.images) image.loading = "eager";
    if (!table || get("utterances").hidden) return;
    const names = ["utterance", "speaker", "fold", "label", ...models];
    get("utterances").append(h("table", { id: "printed", class: "plain" },
      h("thead", {}, row(...names.map((name) => head(name)))),
      h("tbody", {}, ...kept.map((i) => row(
        ...[list.id[i], list.speakers[list.speaker[i]], list.fold[i], shownLabel(i),
          ...models.map((model) => decision(model, i))].map((text) => h("td", {}, bdi(text))),
      )))));
  });
  window.addEventListener("afterprint", () => get("printed")?.remove());

  // -------------------------------------------------------------------------------- one utterance

  async function showUtterance(rest, query) {
    const i = byId.get(rest.join("/"));
    if (i === undefined) return show("lost");
    const seed = list.seeds.includes(query.get("seed")) ? query.get("seed") : list.seeds[0];
    const [details, targets, near] = await Promise.all(
      ["details", "nearest-targets", `nearest-${seed}`].map(load));
    const heading = show("utterance", list.id[i]);
    neighbours(i, seed);
    get("utterance-body").replaceChildren(
      h("div", { class: "columns" }, about(i, details), sound(details, i)),
      h("div", { class: "columns" },
        h("div", {}, h("h2", {}, "What the raters wrote"), raters(i, details)),
        h("div", {}, h("h2", {}, "Words of the targets"), targetWords(i, details),
          h("h2", {}, "What the models decided"), decisions(i, seed, near))),
      ...(truth[i] < 0 ? [] : [
        h("h2", {}, "Nearest words"), nearestTable(i, details, targets, near),
        ...recompute(["emoword", "trace", ...list.trace, "--utterance", list.id[i]].map(quoted).join(" ")),
      ]),
    );
    return heading;
  }

  const recompute = (command) =>
    [h("h2", {}, "Recompute it"), h("p", {}, "From the predictions, with the whole chain:"), paste(command)];

  function neighbours(i, seed) {
    const among = kept.length ? kept : list.id.map((_, k) => k).filter(predicate({}, seed));
    const at = among.indexOf(i);
    const suffix = seed === list.seeds[0] ? "" : `?seed=${encodeURIComponent(seed)}`;
    get("back").href = lastList;
    get("position").textContent = at >= 0 ? `${at + 1} of ${among.length}` : "";
    for (const [name, other] of [["previous", among[at - 1]], ["next", among[at + 1]]]) {
      const link = get(name);
      if (at < 0 || other === undefined) link.removeAttribute("href");
      else link.href = addressOf(other) + suffix;
    }
  }

  function about(i, details) {
    const out = details.out[i];
    return facts([
      ["Ground truth", bdi(shownLabel(i))],
      ["Speaker", bdi(list.speakers[list.speaker[i]])],
      ["Fold", String(list.fold[i])],
      ["Style", bdi(list.styles[list.style[i]])],
      ...(out >= 0 ? [["Takes no part", bdi(details.reasons[out])]] : []),
    ]);
  }

  // Where the audio is: a file beside this page, or (copied into it) a script that holds its bytes.
  async function audioOf(i) {
    const details = await load("details");
    const [folder, name] = details.audio[i];
    if (!name.endsWith(".js")) return { source: `${details.folders[folder]}/${name}` };
    const bytes = Uint8Array.from(atob(await load(name.slice(0, -3))), (c) => c.charCodeAt(0)).buffer;
    return { source: URL.createObjectURL(new Blob([bytes], { type: "audio/wav" })), bytes };
  }

  // One player for the list and the map: a second press, or another view, ends it.
  const player = new Audio();
  let playing = null;
  function silence() {
    player.pause();
    playing?.forEach((button) => button.setAttribute("aria-pressed", "false"));
    playing = null;
  }
  player.addEventListener("ended", silence);
  player.addEventListener("error", () => {
    playing?.forEach((button) => { button.title = "The audio is not where this page looks for it"; });
    silence();
  });

  async function play(i) {
    silence();
    player.src = (await audioOf(i)).source;
    playing = document.querySelectorAll(`button.play[data-i="${i}"]`);
    playing.forEach((button) => button.setAttribute("aria-pressed", "true"));
    await player.play().catch(() => {}); // said by its error event, or ended by another press
  }

  const playButton = (i) => h("button", { class: "play", type: "button", "data-i": i, "aria-pressed": "false", "aria-label": `Play ${visible(list.id[i])}` });
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button.play");
    if (!button) return;
    if (button.getAttribute("aria-pressed") === "true") silence();
    else play(Number(button.dataset.i));
  });

  function sound(details, i) {
    const audio = h("audio", { controls: true, preload: "metadata", "aria-label": `Audio of ${visible(list.id[i])}` });
    const file = h("p", { class: "small" });
    const [waves, spectra] = [["Waveform", 60], ["Spectrogram, 0 to 8 kHz", 256]].map(([what, height]) =>
      h("canvas", { width: 480, height, role: "img", hidden: true, "aria-label": `${what} of ${visible(list.id[i])}` }));
    audio.addEventListener("error", () => {
      audio.hidden = true;
      file.prepend("The audio is not where this page looks for it: ");
    }, true);
    picture(i, audio, file, waves, spectra);
    return h("div", { class: "sound" }, audio, waves, spectra, file);
  }

  // A browser lets a page from disk play a file beside it, but not read it.
  async function picture(i, audio, file, waves, spectra) {
    const { source, bytes } = await audioOf(i);
    audio.src = source;
    if (!bytes) file.append(h("a", { href: source }, bdi(decode(source))));
    if (!bytes && !location.protocol.startsWith("http")) {
      file.append(". Its waveform is drawn where the browser may read it: ", h("code", {}, "python3 -m http.server"), " in the folder above, or a page made with ", h("code", {}, "--copy-audio"), ".");
      return;
    }
    try {
      const read = bytes ?? await (await fetch(source)).arrayBuffer();
      await (await load("sound")).draw(read, waves, spectra);
      waves.hidden = spectra.hidden = false;
    } catch (error) {
      file.append(` No picture of it: ${error.message}`);
    }
  }

  function decisions(i, seed, near) {
    const sets = Object.keys(Object.values(near.cosines)[0] ?? {});
    const asked = models.filter((model) => decided(model, i, seed) >= 0);
    if (!asked.length) return h("p", {}, "Nothing: it takes no part.");
    const links = list.seeds.length < 2 ? [] : [h("p", { class: "seeds" }, "Seed: ",
      ...list.seeds.map((other) => h("a", {
        href: `${addressOf(i)}?seed=${encodeURIComponent(other)}`,
        "aria-current": other === seed && "true",
      }, other)))];
    return h("div", {}, ...links, scroll("Decisions", h("table", { class: "plain results" },
      h("thead", {},
        row(h("td", { colspan: 2 }), h("th", { scope: "colgroup", colspan: sets.length || 1 }, "cosine similarity with")),
        row(head("model"), head("decided", true), ...sets.map((set) => head(set)))),
      h("tbody", {}, ...asked.map((model) => {
        const own = decided(model, i, seed);
        const right = own === truth[i];
        return row(
          h("th", { scope: "row" }, model),
          h("td", { class: `left ${right ? "right" : "wrong"}` }, right ? "✓ " : "✗ ", bdi(list.classes[own])),
          ...sets.map((set) => {
            const value = near.cosines[model]?.[set]?.[i] ?? null;
            return number(value === null ? "–" : thousandths(value));
          }),
        );
      })))));
  }

  // Target and prediction side by side: the words that are the target's own are marked.
  function nearestTable(i, details, targets, near) {
    const columns = [];
    for (const [part, what] of [[targets, "target"], [near, ""]]) {
      for (const [name, of] of Object.entries(part.of)) {
        if (of[i] >= 0) columns.push({ name, what, cells: part.lists[of[i]], words: part.words });
      }
    }
    const own = new Set(Object.values(details.sets).flatMap((set) => evens(set[i]).map((word) => details.words[word])));
    const ranks = Math.max(0, ...columns.map((column) => column.cells.length / 2));
    const between = columns.findIndex((column) => !column.what);
    return h("div", {}, h("p", { class: "small" }, "Words whose vectors have the largest cosine similarity. ",
      h("mark", {}, "Marked"), ": a word that a rater gave."),
    scroll("Nearest words", h("table", { class: "plain near" },
      h("thead", {},
        row(h("td"), h("th", { scope: "colgroup", colspan: between }, "target"),
          h("th", { scope: "colgroup", colspan: columns.length - between, class: "first" }, "prediction")),
        row(head("rank"), ...columns.map((column, k) =>
          h("th", { scope: "col", class: k === between && "first" }, column.name)))),
      h("tbody", {}, ...Array.from({ length: ranks }, (_, rank) => row(
        h("th", { scope: "row" }, String(rank + 1)),
        ...columns.map((column, k) => {
          const word = column.words[column.cells[2 * rank]];
          return h("td", { class: k === between && "first" },
            own.has(word) ? h("mark", {}, bdi(word)) : bdi(word),
            " ", h("small", {}, thousandths(column.cells[2 * rank + 1])));
        }))))))); 
  }

  function targetWords(i, details) {
    const pairs = Object.entries(details.sets).filter(([, set]) => set[i].length).map(([name, set]) => {
      const counts = set[i].filter((_, k) => k % 2);
      const words = evens(set[i]).map((word, k) =>
        h("span", {}, bdi(details.words[word]), counts[k] > 1 ? ` ×${counts[k]}` : ""));
      return [name, ...listing(words)];
    });
    return pairs.length ? facts(pairs) : h("p", {}, "None: it takes no part.");
  }

  function raters(i, details) {
    const notes = details.notes[i];
    if (!notes.length) return h("p", {}, "Nothing: there are no ratings.");
    const heads = ["rater", "what", "as written, what of it is left out, and where it stands"];
    const rows = notes.map(([rater, role, source, kind, file, line, said, fallen]) => row(
      h("th", { scope: "row" }, bdi(details.raters[rater])),
      h("td", { class: "kind" }, ...[kind, source, role].map((k) => details.kinds[k]).filter((k) => k && k !== "observer")
        .map((k, n) => h("span", { class: n ? "tag" : "" }, visible(k)))),
      h("td", {}, ...said.map((text) => h("q", {}, bdi(details.texts[text]))),
        ...fallen.map(([text, sets, reason]) => h("div", {},
          h("s", {}, bdi(details.texts[text])), ` ${visible(details.reasons[reason])} (${visible(details.label_sets[sets])})`)),
        h("div", { class: "place" }, bdi(`${details.files[file]}:${line}`))),
    ));
    return tabular("Ratings", heads, rows, "plain stack");
  }

  // ------------------------------------------------------------------------------------- traces

  const runLink = (run, text) => h("a", { href: `#run/${encodeURIComponent(run.folder)}` }, text);
  const paste = (text) => h("div", { class: "command" }, h("pre", { class: "paste", tabindex: 0 }, visible(text)), h("button", { type: "button", class: "copy" }, "Copy"));
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("button.copy");
    if (!button) return;
    await navigator.clipboard.writeText(button.previousElementSibling.textContent);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });

  async function showTrace(rest) {
    const data = await load("runs");
    const trace = data.traces[`trace/${rest.map(strictly).join("/")}`];
    if (!trace) return show("lost");
    get("trace-back").href = `#tables/${trace.table}`;
    const heading = show("trace", `Table ${trace.table}: ${trace.row}, ${trace.column}`);
    get("trace-body").replaceChildren(
      facts([
        ["Printed", bdi(trace.shown)],
        [trace.vector ? "Similarity" : "Exact", bdi(trace.exact)],
        ...(trace.interval ? [["95% interval", trace.interval]] : []),
        ...(trace.paper ? [["The paper", bdi(trace.paper)]] : []),
      ]),
      ...(trace.vector ? vectorTrace(trace.vector, data) : metricTrace(trace, data)),
      ...recompute(trace.command),
    );
    return heading;
  }

  // as Python's quote(..., safe=""): encodeURIComponent leaves these as they are
  const strictly = (text) => encodeURIComponent(text)
    .replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

  function metricTrace(trace, data) {
    const [model, loss, on, metric] = trace.key;
    const own = data.metrics.filter((m) => m[0] === model && m[1] === loss && m[4] === on && m[5] === metric);
    const single = own.filter((m) => m[3] !== "all");
    const overall = own.filter((m) => m[3] === "all");
    const runOf = (fold, seed) => data.runs.find((run) =>
      run.model === model && run.loss === loss && String(run.fold) === fold && String(run.seed) === seed);
    const body = [...single, ...overall].map(([, , fold, seed, , , value, n]) => {
      const run = runOf(fold, seed);
      const printed = seed === "all" && fold === data.aggregate;
      return h("tr", { class: printed ? "printed" : "" },
        h("th", { scope: "row" }, seed === "all" ? { mean: "mean over folds", pooled: "pooled" }[fold] ?? fold : `fold ${fold}`),
        h("td", {}, seed),
        exact(value),
        number(String(n)),
        h("td", { class: "place" }, run ? runLink(run, bdi(run.folder)) : printed ? "printed in the table" : ""));
    });
    const seen = models.includes(model) && (loss === data.loss || model === "baseline");
    const down = on === "class" && seen ? [h("p", {}, "Utterances that it decided ",
      ...["right", "wrong"].flatMap((what, k) => [k ? " or " : "",
        h("a", { href: `#utterances?${model}=${what}` }, `${what}ly`)]), ".")] : [];
    return [
      h("h2", {}, "Rows of metrics.csv"),
      h("p", {}, `Model ${model}, loss ${loss}, measured on ${on}: ${metric}. Each is counted from decisions/, which come from the run's predictions.npy.`),
      tabular("Rows of metrics.csv", ["fold", "seed", "value", "n", head("run", true)], body),
      ...down,
    ];
  }

  function vectorTrace(vector, data) {
    const runs = data.runs.filter((run) => run.model === vector.model && run.loss === data.loss);
    const from = vector.kind === "target"
      ? ["words ", h("strong", {}, bdi(vector.words))]
      : [`predictions of ${vector.model} for the test utterances whose ground truth is `, h("strong", {}, bdi(vector.name)),
        `, of ${runs.length} runs: `, ...listing(runs.map((run) => runLink(run, `fold ${run.fold} seed ${run.seed}`)))];
    return [
      h("h2", {}, "The vector and its nearest words"),
      h("p", {}, "The vector is the mean of the ", ...from, "."),
      tabular("Nearest words", ["rank", head("word", true), "cosine similarity"], vector.nearest.map(([word, similarity], k) =>
        h("tr", { class: k + 1 === vector.rank ? "printed" : "" },
          h("th", { scope: "row" }, String(k + 1)), h("td", { class: "left" }, bdi(word)), number(bdi(similarity))))),
    ];
  }

  // --------------------------------------------------------------------------------------- runs

  async function showRun(rest) {
    const data = await load("runs");
    const run = data.runs.find((one) => one.folder === rest.join("/"));
    if (!run) return show("lost");
    const heading = show("run", `${run.model}, ${run.loss}, fold ${run.fold}, seed ${run.seed}`);
    const parts = Object.entries(run.utterances ?? {}).map(([part, n]) => `${part} ${n}`).join(", ");
    get("run-body").replaceChildren(
      facts([
        ["Folder", bdi(run.folder)],
        ["Trained on", bdi(run.label_set)],
        ["Utterances", parts],
        ["Epochs", `${run.epochs}, best ${run.best_epoch}`],
        ["Collapsed", run.collapsed ? "yes †" : "no"],
        ["Spread of the predictions", String(run.spread)],
        ["Device", bdi(`${run.device} (${run.machine})`)],
        ["Versions", bdi(Object.entries(run.versions ?? {}).map((pair) => pair.join(" ")).join(", "))],
      ]),
      h("h2", {}, "Learning curve"),
      curve(run),
      h("h2", {}, "Its numbers"),
      tabular("Metrics", ["measured on", "metric", "value", "n"], data.metrics
        .filter((m) => m[0] === run.model && m[1] === run.loss && m[2] === String(run.fold) && m[3] === String(run.seed))
        .map(([, , , , on, metric, value, n]) => row(h("th", { scope: "row" }, on), h("td", {}, metric), exact(value), number(String(n))))),
      h("h2", {}, "Settings"),
      facts(settingLines(run.settings ?? {})),
    );
    return heading;
  }

  // Settings line by line: those of a block under its name, as in `training: epochs`.
  const settingLines = (settings, block = "") => Object.entries(settings).flatMap(([name, value]) => (
    value?.constructor === Object ? settingLines(value, `${block}${name}: `)
      : [[block + name, bdi(Array.isArray(value) ? value.join(", ") : String(value))]]));

  function curve(run) {
    const [width, height, left, bottom] = [560, 220, 56, 26];
    const values = [...run.train_loss, ...run.validation_loss].filter((value) => value !== null);
    if (!values.length) return h("p", {}, "No loss of it is a number.");
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const last = run.epoch[run.epoch.length - 1];
    const x = (epoch) => left + ((epoch - 1) / Math.max(1, last - 1)) * (width - left - 12);
    const y = (value) => 12 + ((high - value) / (high - low || 1)) * (height - bottom - 20);
    const line = (losses, name) => svg("polyline", { class: name, points: losses
      .map((value, k) => (value === null ? null : `${x(run.epoch[k]).toFixed(1)},${y(value).toFixed(1)}`))
      .filter(Boolean).join(" ") });
    const text = (at, value, anchor = "end") => svg("text", { x: at[0], y: at[1], "text-anchor": anchor }, value);
    return h("figure", { class: "curve" },
      svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `Losses from ${high} to ${low} in ${last} epochs; best epoch ${run.best_epoch}` },
        svg("line", { class: "best", x1: x(run.best_epoch), x2: x(run.best_epoch), y1: 8, y2: height - bottom }),
        line(run.train_loss, "train"), line(run.validation_loss, "validation"),
        text([left - 8, y(high) + 4], high.toPrecision(3)), text([left - 8, y(low) + 4], low.toPrecision(3)),
        text([left, height - 6], "1", "middle"), text([width - 12, height - 6], String(last), "end"),
        text([width / 2, height - 6], "epoch", "middle")),
      h("figcaption", {}, h("span", { class: "key train" }, "training"), " ", h("span", { class: "key validation" }, "validation"), " ", h("span", { class: "key best" }, "best epoch")));
  }

  // ------------------------------------------------------------------------- figures and the map

  // Confusions of one seed, each cell a link to its utterances.
  async function showFigures() {
    const heading = show("figures");
    if (get("confusions").hasChildNodes()) return heading;
    const seed = list.seeds[0];
    const named = list.classes.map((name, k) => [name, k]).filter(([, k]) => truth.includes(k));
    get("confusions").append(...models.map((model) => {
      const counts = named.map(() => named.map(() => 0));
      truth.forEach((label, i) => {
        const [a, b] = [label, decided(model, i, seed)].map((k) => named.findIndex((one) => one[1] === k));
        if (a >= 0 && b >= 0) counts[a][b] += 1;
      });
      const link = (a, b) => new URLSearchParams({ label: named[a][0], [model]: `as ${named[b][0]}` });
      return scroll(`Confusions of ${model}`, h("table", { class: "plain results" }, h("caption", {}, model),
        h("thead", {}, row(h("td"), ...named.map(([name]) => head(bdi(name))))),
        h("tbody", {}, ...counts.map((line, a) => row(h("th", { scope: "row" }, bdi(named[a][0])),
          ...line.map((count, b) => h("td", { class: a === b && "best" },
            count ? h("a", { href: `#utterances?${link(a, b)}` }, String(count)) : "0")))))));
    }));
    return heading;
  }

  let showSpace = null;
  async function showMap(_, query) {
    const heading = show("map");
    showSpace ??= (await load("map_view"))({
      h, bdi, visible, get, list, truth, load, shownLabel, playButton, play, paste, tabular, head, row, number, listing, evens,
      linkTo, quoted, dark,
    });
    await showSpace(query);
    return heading;
  }

  // From any view: / to search, and in an utterance the arrow keys to the one beside it.
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("input, select, textarea, audio, .scroll")) return;
    const side = { ArrowLeft: "previous", ArrowRight: "next" }[event.key];
    if (side && !get("utterance").hidden && get(side).hasAttribute("href")) location.hash = get(side).getAttribute("href");
    if (event.key === "/") {
      event.preventDefault();
      get("search").focus();
    }
  });
  get("search").form.addEventListener("submit", (event) => {
    event.preventDefault();
    location.hash = `#utterances?${new URLSearchParams({ q: get("search").value })}`;
  });

  // -------------------------------------------------------------------------------------- start

  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const darken = () => document.documentElement.classList.toggle("dark", dark.matches);
  dark.addEventListener("change", darken);
  darken();
  window.addEventListener("hashchange", route);
  route().then(() => requestAnimationFrame(() => setTimeout(() => {
    // interactive: what was asked for is drawn, and the browser has had time for a click
    document.documentElement.dataset.ready = performance.now().toFixed(0);
  })));
})();
