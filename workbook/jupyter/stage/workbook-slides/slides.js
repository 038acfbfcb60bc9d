// A slide view of JupyterLab's own notebook: it hides the cells that are not on the slide, and
// the frame around the notebook. Cells stay what they are: they run, and can be edited.
//
// Which cells make a slide is said by their metadata, `slideshow.slide_type`, as in every other
// tool for slides: "slide" and "subslide" begin one, "skip" leaves a cell out. The notes are the
// metadata `presenter` of a slide's first cell. All slides of the talk, those of other notebooks
// too, are the notebook's metadata `presenter.talk`.
//
// JupyterLab loads this file as it is, without a build: at the end stands the container of a
// prebuilt extension, with the two functions that webpack's module federation asks for.
(() => {
  "use strict";
  const NAME = "workbook-slides";
  function activate(app, tracker) {
    const footer = document.createElement("div");
    footer.className = `${NAME}-footer`;
    const header = document.createElement("div");
    header.className = `${NAME}-header`;
    document.body.append(footer, header);
    const style = document.createElement("link");
    style.rel = "stylesheet";
    style.href = new URL("slides.css", source);
    document.head.append(style);

    const panel = () => tracker.currentWidget;
    const isOn = () => document.body.classList.contains(NAME);
    let notes = null; // the second window
    let running = 0; // how many cells by our keys

    // What a reload must not lose, for each talk: a talk's notebooks are in one folder.
    const folder = () => panel().context.path.replace(/[^/]*$/, "");
    const recall = () => JSON.parse(localStorage.getItem(`${NAME}:${folder()}`) ?? "{}");
    const remember = (more) =>
      localStorage.setItem(`${NAME}:${folder()}`, JSON.stringify({ ...recall(), ...more }));

    const metadata = (cell, name) => cell.model.getMetadata(name) ?? {};
    const title = (slide) => metadata(slide[0], "presenter").title;

    // The slides of a notebook, each a list of cells.
    function slides(notebook) {
      const found = [];
      for (const cell of notebook.widgets) {
        const type = metadata(cell, "slideshow").slide_type;
        if (type === "skip" || type === "notes") continue;
        if (type === "slide" || type === "subslide" || !found.length) found.push([]);
        found.at(-1).push(cell);
      }
      return found;
    }

    // The number of the slide on the screen: that of the active cell, or the last one before it.
    function current(notebook, all) {
      for (let index = notebook.activeCellIndex; index >= 0; index--) {
        const at = all.findIndex((slide) => slide.includes(notebook.widgets[index]));
        if (at >= 0) return at;
      }
      return 0;
    }

    // The talk's slides; those of this notebook, and where in the talk the first of them is; the
    // one on the screen. A notebook that is not in the talk is one of its own.
    function here() {
      const notebook = panel()?.content;
      const all = notebook?.model ? slides(notebook) : [];
      if (!all.length) return null; // it is not there yet
      const file = panel().context.path.split("/").at(-1);
      const listed = notebook.model.getMetadata("presenter")?.talk ?? [];
      const first = listed.findIndex((each) => each.file === file);
      const alone = (slide) => ({ file, title: title(slide), chapter: title(all[0]), begins: 0 });
      const talk = first < 0 ? all.map(alone) : listed;
      return { notebook, all, file, talk, first: Math.max(first, 0), at: current(notebook, all) };
    }

    const tags = (cell) => cell.model.getMetadata("tags") ?? [];
    const isCode = (cell) => cell.model.type === "code";

    // Whether a cell is one that has to run and has not.
    const waits = (cell) =>
      isCode(cell) && cell.model.executionCount === null && !tags(cell).includes("exercise");

    // Whether what comes after a cell makes sense: it has run, and not failed where it should not.
    function isDone(cell) {
      if (!isCode(cell)) return true;
      const failed = cell.model.outputs.toJSON().some((each) => each.output_type === "error");
      return cell.model.executionCount !== null && !(failed && !tags(cell).includes("raises-exception"));
    }

    // SQL and commands have colours of their own language, not Python's.
    function colour(model) {
      const source = model.sharedModel.getSource();
      const all = (sign) => source.split("\n").every((line) => line.startsWith(sign));
      const isSql = source.startsWith("%%sql") || (all("%") && source.includes("%sql "));
      const mime = isSql ? "text/x-sql" : all("!") ? "text/x-sh" : null;
      if (mime && model.mimeType !== mime) model.mimeType = mime;
    }

    // A slide down to its first cell that is not done: what follows tells the answer.
    function revealed(slide) {
      const waiting = slide.findIndex((cell) => !isDone(cell));
      return waiting < 0 ? slide : slide.slice(0, waiting + 1);
    }

    function show() {
      const now = here();
      if (!now) return;
      const { notebook, all, at, talk, first } = now;
      const slide = all[at];
      const shown = revealed(slide);
      for (const cell of notebook.widgets) {
        cell.node.classList.toggle(`${NAME}-off`, !slide.includes(cell));
        cell.node.classList.toggle(`${NAME}-later`, slide.includes(cell) && !shown.includes(cell));
      }
      for (const { model } of notebook.widgets) colour(model);
      // A cell that is not in sight cannot have the focus, and without it no key arrives.
      if (isOn() && !shown.includes(notebook.activeCell)) {
        notebook.activeCellIndex = notebook.widgets.indexOf(shown.at(-1));
      }
      const status = running ? "busy" : (panel().sessionContext.session?.kernel?.status ?? "no kernel");
      const number = `${first + at + 1} / ${talk.length}`;
      footer.textContent = status === "idle" ? number : `${status}  ${number}`;
      const { chapter } = talk[first + at];
      header.textContent = chapter === title(slide) ? "" : `${chapter}   ${title(slide)}`;
      if (isOn()) notebook.outerNode.scrollTo(0, 0);
      fit();
      if (notes && !notes.closed) showNotes(now);
    }

    // Type grows until a line of code would break or the slide would not fit: all of it, then code
    // alone, then text. What comes later on the slide counts, so nothing jumps when it appears.
    // What is too tall even so stands in two columns.
    const GROWTH = [2.2, 2, 1.8, 1.6, 1.45, 1.3, 1.2, 1.1, 1, 0.9, 0.8, 0.7]; // less only beside the pane
    function fit() {
      const outer = panel()?.content.outerNode;
      if (!outer) return;
      const all = (what) => [...outer.querySelectorAll(`.jp-Cell:not(.${NAME}-off) ${what}`)];
      const breaks = () =>
        all(":is(.cm-line, pre)")
          .map((each) => each.offsetHeight / parseFloat(getComputedStyle(each).fontSize))
          .reduce((sum, each) => sum + Math.round(each * 2), 0);
      const isWide = (each) => each.scrollWidth > each.parentElement.clientWidth + 1;
      const grow = (what, by) => outer.style.setProperty(`--workbook-grow-${what}`, by);
      for (const each of all(".jp-RenderedMarkdown > p")) {
        const plan = /^(core|optional), \d+ minutes?$/.test(each.textContent); // for readers
        each.classList.toggle(`${NAME}-off`, plan);
        each.classList.toggle(`${NAME}-question`, each.textContent.startsWith("Predict."));
      }
      outer.classList.remove(`${NAME}-tall`);
      grow("code", 1);
      grow("text", 1);
      if (!isOn()) return;
      outer.classList.add(`${NAME}-measured`);
      const before = breaks();
      const fits = (...kinds) => (by) => {
        for (const kind of kinds) grow(kind, by);
        const wide = all(":is(table, .jp-OutputArea-output)").some(isWide);
        return outer.scrollHeight <= outer.clientHeight && breaks() <= before && !wide;
      };
      [1.4, 1.2, 1].find(fits("question"));
      const allowed = GROWTH.filter((by) => pane || by >= 1);
      const both = allowed.find(fits("code", "text")) ?? allowed.at(-1);
      const more = GROWTH.filter((by) => by >= both);
      more.find(fits("code"));
      more.find(fits("text"));
      outer.classList.remove(`${NAME}-measured`);
      const tall = outer.scrollHeight > outer.clientHeight;
      outer.classList.toggle(`${NAME}-tall`, tall);
      if (tall) all(".jp-RenderedText pre").forEach(keepStatements);
    }

    // A column ends between two statements.
    function keepStatements(pre) {
      if (pre.children.length) return; // done, or with colours of its own
      const parts = pre.textContent.split(/(?<=\n\n)(?=\S)/).map((text) => {
        const part = document.createElement("div");
        part.textContent = text;
        return part;
      });
      pre.replaceChildren(...parts);
    }
    const sizes = new ResizeObserver(fit);

    // The slide with this number in the talk, in whichever notebook it is.
    function go(to) {
      const now = here();
      if (!now) return;
      const { notebook, all, file, talk, first } = now;
      to = Math.min(Math.max(to, 0), talk.length - 1);
      remember({ to });
      if (talk[to].file !== file) {
        void app.commands.execute("docmanager:open", { path: folder() + talk[to].file });
        return;
      }
      const slide = all[to - first] ?? all.at(-1);
      const cell = slide.find(isCode) ?? slide[0];
      notebook.mode = "command";
      notebook.activeCellIndex = notebook.widgets.indexOf(cell);
      notebook.activate();
      show();
    }

    function step(by) {
      const now = here();
      if (!now) return;
      remember({ began: recall().began ?? Date.now() });
      go(now.first + now.at + by);
    }

    // The one key of a clicker: what has not run on the slide runs, then the next slide comes. Hit
    // twice, it does not run a cell twice.
    function forward() {
      if (running) return;
      const now = here();
      const waiting = now && revealed(now.all[now.at]).find(waits);
      if (!waiting) return step(1);
      now.notebook.activeCellIndex = now.notebook.widgets.indexOf(waiting);
      void run();
    }

    // A reload finds it. Two at once, and JupyterLab would ask which of the files is right.
    let saved = Promise.resolve();
    const save = ({ context } = panel()) => (saved = saved.finally(() => context.save()));

    // Run the active cell and stay on the slide, at its next cell with code if there is one.
    async function run() {
      const notebook = panel().content;
      const cell = notebook.activeCell;
      const slide = slides(notebook).find((each) => each.includes(cell)) ?? [];
      notebook.mode = "command";
      running += 1;
      await app.commands.execute("notebook:run-cell").finally(() => (running -= 1));
      show();
      void save();
      const next = slide.slice(slide.indexOf(cell) + 1).find(isCode);
      if (next && notebook.activeCell === cell) {
        notebook.activeCellIndex = notebook.widgets.indexOf(next);
        notebook.activate();
      }
    }

    // The second window. It belongs to this page, so it needs no server and no message.
    function openNotes() {
      notes = window.open("", `${NAME}-notes`, "popup,width=900,height=700");
      if (!notes) return;
      notes.document.title = "Presenter's notes";
      notes.document.head.append(style.cloneNode());
      notes.document.body.className = `${NAME}-notes`;
      notes.addEventListener("keydown", onKey);
      notes.setInterval(tick, 1000);
      show();
    }

    const clock = (minutes) =>
      `${Math.floor(minutes)}:${String(Math.floor((minutes % 1) * 60)).padStart(2, "0")}`;

    function showNotes({ all, at, talk, first }) {
      const { say, left, asked, skip, minutes } = metadata(all[at][0], "presenter");
      const next = (all[at + 1] ?? []).map((cell) => cell.model.sharedModel.getSource());
      const words = [
        ["h1", `${first + at + 1} / ${talk.length}  ${title(all[at])}`],
        ["p", say],
        ["p", left && `Left out before this. ${left}`],
        ["p", asked && `Asked: ${asked}`],
        ["p", skip && `Short of time: ${skip}`],
        ["h2", `Next: ${talk[first + at + 1]?.title ?? "the end"}`],
        ["pre", next.join("\n\n")],
        ["footer", ""],
      ];
      const elements = words
        .filter(([name, text]) => text || name === "footer")
        .map(([name, text]) => {
          const element = notes.document.createElement(name);
          for (const [number, part] of text.split("`").entries()) {
            const code = notes.document.createElement(number % 2 ? "code" : "span");
            code.textContent = part;
            element.append(code);
          }
          return element;
        });
      notes.document.body.replaceChildren(...elements);
      notes.planned = { begins: talk[first + at].begins, minutes: minutes ?? 0 };
      tick();
    }

    function tick() {
      const foot = notes?.document.querySelector("footer");
      if (!foot) return;
      const { began } = recall();
      const spent = began ? (Date.now() - began) / 60000 : 0;
      const { begins, minutes } = notes.planned;
      foot.textContent =
        `${new Date().toLocaleTimeString()}   ${clock(spent)} spoken; ` +
        `planned for this slide: ${clock(begins)} to ${clock(begins + minutes)}`;
    }

    // All slides of the talk: arrows, a click or typing a number chooses, Enter goes there.
    function overview() {
      const { talk, first, at } = here();
      const list = document.createElement("select");
      list.className = `${NAME}-overview`;
      list.size = 2; // a list, not a menu
      for (const [number, { chapter, title }] of talk.entries()) {
        if (chapter !== talk[number - 1]?.chapter) {
          list.append(document.createElement("optgroup"));
          list.lastChild.label = chapter;
        }
        list.lastChild.append(new Option(`${number + 1}   ${title}`, number));
      }
      const leave = (to) => {
        list.remove();
        go(to);
      };
      list.onclick = ({ target }) => target.matches("option") && leave(Number(target.value));
      let typed = "";
      list.onkeydown = (event) => {
        if (event.key === "Enter") leave(Number(list.value));
        if (event.key === "Escape" || event.key === "o") leave(first + at);
        if (!/^\d$/.test(event.key)) return;
        list.value = Number((typed += event.key)) - 1;
        event.preventDefault();
      };
      list.value = first + at;
      document.body.append(list);
      list.focus();
    }

    // What went wrong, went wrong: the chapter's code is as it was, in a new kernel, and runs from its
    // first cell to the slide before this one.
    async function again() {
      const { notebook, all, at, first } = here();
      running += 1;
      for (const { model } of notebook.widgets) {
        model.sharedModel.setSource(model.getMetadata("shipped") ?? model.sharedModel.getSource());
      }
      await app.commands.execute("notebook:clear-all-cell-outputs");
      await panel().sessionContext.restartKernel();
      let failed = false;
      for (const slide of all.slice(0, at)) {
        for (let cell; !failed && (cell = revealed(slide).find(waits)); failed = !isDone(cell)) {
          notebook.activeCellIndex = notebook.widgets.indexOf(cell);
          await run();
        }
      }
      running -= 1;
      if (!failed) go(first + at);
      show();
      void save();
    }

    // The live database beside the slide. A kernel of its own looks and draws, because the notebook's
    // own is busy while it migrates; hidden, there is neither.
    let pane = null;
    async function toggleDatabase() {
      document.body.classList.toggle(`${NAME}-beside`, !pane);
      if (pane) pane = void pane.remove();
      else await keepUp((pane = document.body.appendChild(document.createElement("div"))));
    }

    async function keepUp(node) {
      node.className = `${NAME}-pane`;
      const { rendermime } = panel().content;
      const places = { history: document.createElement("div"), tables: document.createElement("div") };
      node.append(...Object.values(places));
      fit();
      const path = `${folder()}database`; // after a reload the same kernel
      const session = await app.serviceManager.sessions.startNew({
        path, name: path, type: "console", kernel: { name: "python3" },
      });
      const draw = ({ header, content }) => {
        if (header.msg_type !== "display_data") return;
        const model = rendermime.createModel({ data: content.data, trusted: true });
        const mime = rendermime.preferredMimeType(content.data, "any");
        const renderer = rendermime.createRenderer(mime);
        void renderer.renderModel(model);
        places[content.metadata.place].replaceChildren(renderer.node);
      };
      for (let anew = "True"; pane === node; anew = "False") {
        const code = `from workbook.pictures.pane import keep_up; keep_up(${anew})`;
        const future = session.kernel.requestExecute({ code, store_history: false });
        future.onIOPub = draw;
        await future.done;
        await new Promise((done) => setTimeout(done, 300));
      }
      if (!pane) await session.shutdown();
    }

    // All slides of this notebook, a page each, for the browser to print or to save as a PDF.
    async function print() {
      const { all, first, at } = here();
      const pages = document.createElement("div");
      pages.className = `${NAME}-pages`;
      const paper = document.createElement("style");
      paper.textContent = `@page { size: ${innerWidth}px ${innerHeight}px; margin: 0 }`;
      for (const number of all.keys()) {
        go(first + number);
        await new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn, 50)));
        const page = document.createElement("div");
        page.className = `${NAME}-page jp-Notebook`;
        page.append(...[panel().content.outerNode, header, footer].map((each) => each.cloneNode(true)));
        for (const each of page.querySelectorAll(`.${NAME}-off, .${NAME}-later`)) each.remove();
        pages.append(page);
      }
      document.body.append(pages, paper);
      window.onafterprint = () => {
        pages.remove();
        paper.remove();
        go(first + at);
      };
      window.print();
    }

    // At the first slide; after a jump from another notebook or a reload, where the talk is.
    function arrive() {
      const { file, talk, first } = here() ?? {};
      const { to } = recall();
      go(talk?.[to]?.file === file ? to : first);
    }

    function toggle() {
      document.body.classList.toggle(NAME);
      window.dispatchEvent(new Event("resize"));
      show();
      const notebook = panel()?.content;
      if (!notebook?.activeCell) return;
      if (!isOn()) notebook.activeCell.node.scrollIntoView({ block: "center" });
      notebook.mode = "command";
      notebook.activeCell.node.focus();
    }

    // Keys need a cell that has the focus; a click beside it takes that away.
    const refocus = () =>
      requestAnimationFrame(() => {
        const at = document.activeElement;
        const lost = at === document.body || (panel()?.node.contains(at) && !at.closest(".jp-Cell"));
        if (isOn() && lost) panel()?.content.activeCell?.node.focus();
      });
    document.addEventListener("focusout", refocus);
    document.addEventListener("pointerup", refocus);

    // The chapter's first cell is what begins it anew.
    function home() {
      const { all, first } = here();
      go(first + Math.max(all.findIndex((slide) => slide.some(isCode)), 0));
    }

    // A clicker sends Page Up and Page Down: they and Shift and Enter work in a cell that is edited, too.
    const everywhere = { PageDown: forward, PageUp: () => step(-1), "Shift Enter": run };
    const keys = {
      ...everywhere,
      ArrowRight: () => step(1),
      ArrowLeft: () => step(-1),
      " ": () => step(1),
      "Shift  ": () => step(-1),
      Home: home,
      End: () => go(here().first + here().all.length - 1),
      "Shift R": again,
      d: toggleDatabase,
      o: overview,
      p: print,
      s: toggle,
      t: openNotes,
    };
    // Neither an editing key that is hit by chance nor one pressed in the dark changes the notebook.
    const BLANK = `${NAME}-blank`;
    function onKey(event) {
      const { key, target } = event;
      if (!isOn() || event.ctrlKey || event.metaKey || event.altKey) return;
      if (target.closest(`.${NAME}-overview`)) return;
      const name = event.shiftKey && key !== "Shift" ? `Shift ${key}` : key;
      const dialog = document.querySelector(".jp-Dialog .jp-mod-accept");
      const typing = target.closest("input, textarea, [contenteditable=true]");
      const does = (typing ? everywhere : keys)[name];
      if (document.body.classList.contains(BLANK) || (!typing && "b.".includes(key))) {
        document.body.classList.toggle(BLANK);
      } else if (dialog) {
        if (!["PageDown", "PageUp", "Shift R"].includes(name)) return;
        dialog.click(); // that the kernel died, for one
        does();
      } else if (does) {
        does();
      } else if (typing || key.length > 1) {
        return;
      }
      event.preventDefault();
      event.stopImmediatePropagation();
    }
    window.addEventListener("keydown", onKey, true);
    app.commands.addCommand(`${NAME}:toggle`, { label: "Slides or notebook", execute: toggle });
    app.commands.addKeyBinding({
      command: `${NAME}:toggle`,
      keys: ["S"],
      selector: ".jp-Notebook.jp-mod-commandMode:not(.jp-mod-readWrite) :focus",
    });

    tracker.currentChanged.connect((_, widget) => {
      if (!widget) return;
      void Promise.all([widget.context.ready, widget.revealed]).then(() => {
        widget.sessionContext.statusChanged.connect(show);
        sizes.disconnect();
        sizes.observe(widget.content.viewportNode);
        widget.content.activeCellChanged.connect(show);
        if (isOn()) arrive();
      });
    });
    void app.restored.then(() => {
      document.body.classList.add(NAME);
      window.dispatchEvent(new Event("resize"));
      if (panel()?.context.isReady) arrive();
    });
  }

  let shared;
  const source = document.currentScript.src;

  async function plugins() {
    const [{ get }] = Object.values(shared["@jupyterlab/notebook"]);
    const { INotebookTracker } = (await get())();
    const plugin = { id: `${NAME}:plugin`, autoStart: true, requires: [INotebookTracker], activate };
    return { __esModule: true, default: plugin };
  }

  window._JUPYTERLAB ??= {};
  window._JUPYTERLAB[NAME] = {
    init: (scope) => void (shared = scope),
    get: async () => {
      const made = await plugins();
      return () => made;
    },
  };
})();
