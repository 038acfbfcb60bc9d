// A slide view of JupyterLab's own notebook: it hides the cells that are not on the slide, and
// the frame around the notebook. Cells stay what they are: they run, and can be edited.
//
// Which cells make a slide is said by their metadata, `slideshow.slide_type`, as in every other
// tool for slides: "slide" and "subslide" begin one, "skip" leaves a cell out. The notes are the
// metadata `presenter` of a slide's first cell. Where the talk goes on is the notebook's metadata
// `presenter.next`, and the minute that this notebook begins at is `presenter.begins`.
//
// JupyterLab loads this file as it is, without a build: at the end stands the container of a
// prebuilt extension, with the two functions that webpack's module federation asks for.
(() => {
  "use strict";
  const NAME = "workbook-slides";
  const COMMAND_MODE =
    `.${NAME} .jp-Notebook.jp-mod-commandMode:not(.jp-mod-readWrite) :focus`;
  const EDIT_MODE = `.${NAME} .jp-Notebook.jp-mod-editMode`;

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

    // What a reload must not lose, for each talk: a talk's notebooks are in one folder.
    const folder = () => panel().context.path.replace(/[^/]*$/, "");
    const recall = () => JSON.parse(localStorage.getItem(`${NAME}:${folder()}`) ?? "{}");
    const remember = (more) =>
      localStorage.setItem(`${NAME}:${folder()}`, JSON.stringify({ ...recall(), ...more }));

    const metadata = (cell, name) => cell.model.getMetadata(name) ?? {};

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

    const tags = (cell) => cell.model.getMetadata("tags") ?? [];
    const isCode = (cell) => cell.model.type === "code";

    // Whether what comes after a cell makes sense: it has run, and not failed where it should not.
    function isDone(cell) {
      if (!isCode(cell)) return true;
      const failed = cell.model.outputs.toJSON().some((each) => each.output_type === "error");
      return cell.model.executionCount !== null && !(failed && !tags(cell).includes("raises-exception"));
    }

    // A slide down to its first cell that is not done: what follows tells the answer.
    function revealed(slide) {
      const waiting = slide.findIndex((cell) => !isDone(cell));
      return waiting < 0 ? slide : slide.slice(0, waiting + 1);
    }

    function show() {
      const notebook = panel()?.content;
      if (!notebook?.model) return;
      const all = slides(notebook);
      const at = current(notebook, all);
      const slide = all[at] ?? [];
      const shown = revealed(slide);
      for (const cell of notebook.widgets) {
        cell.node.classList.toggle(`${NAME}-off`, !slide.includes(cell));
        cell.node.classList.toggle(`${NAME}-later`, slide.includes(cell) && !shown.includes(cell));
      }
      // A cell that is not in sight cannot have the focus, and without it no key arrives.
      if (isOn() && shown.length && !shown.includes(notebook.activeCell)) {
        notebook.activeCellIndex = notebook.widgets.indexOf(shown.at(-1));
      }
      const status = panel().sessionContext.session?.kernel?.status ?? "no kernel";
      footer.textContent = `${status === "idle" ? "" : `${status}  `}${at + 1} / ${all.length}`;
      header.textContent = at && slide.length ? `${title(all[0])}   ${title(slide)}` : "";
      if (isOn()) notebook.outerNode.scrollTo(0, 0);
      fit();
      if (notes && !notes.closed) showNotes(all, at);
    }

    // Type grows until a line of code would break or the slide would not fit: all of it, then code
    // alone, then text. What comes later on the slide counts, so nothing jumps when it appears.
    // What is too tall even so stands in two columns.
    const GROWTH = [2.2, 2, 1.8, 1.6, 1.45, 1.3, 1.2, 1.1, 1];
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
        return outer.scrollHeight <= outer.clientHeight && breaks() === before && !wide;
      };
      const both = GROWTH.find(fits("code", "text")) ?? 1;
      const more = GROWTH.filter((by) => by >= both);
      more.find(fits("code"));
      more.find(fits("text"));
      outer.classList.remove(`${NAME}-measured`);
      outer.classList.toggle(`${NAME}-tall`, outer.scrollHeight > outer.clientHeight);
    }
    const sizes = new ResizeObserver(fit);

    function go(to) {
      const notebook = panel()?.content;
      if (!notebook) return;
      const all = slides(notebook);
      if (!all.length) return; // it is not there yet
      const next = notebook.model.getMetadata("presenter")?.next;
      if (to >= all.length && next) {
        void app.commands.execute("docmanager:open", { path: folder() + next });
        return;
      }
      const slide = all[Math.min(Math.max(to, 0), all.length - 1)];
      const cell = slide.find(isCode) ?? slide[0];
      notebook.mode = "command";
      notebook.activeCellIndex = notebook.widgets.indexOf(cell);
      notebook.activate();
      remember({ at: notebook.activeCellIndex, path: panel().context.path });
      show();
    }

    function step(by) {
      const notebook = panel()?.content;
      if (!notebook) return;
      if (by) remember({ began: recall().began ?? Date.now() });
      go(current(notebook, slides(notebook)) + by);
    }

    // The one key of a clicker: what has not run on the slide runs, then the next slide comes.
    function forward() {
      const notebook = panel()?.content;
      if (!notebook) return;
      const all = slides(notebook);
      const waiting = (all[current(notebook, all)] ?? []).find(
        (cell) => isCode(cell) && cell.model.executionCount === null && !tags(cell).includes("exercise"),
      );
      if (!waiting) return step(1);
      notebook.activeCellIndex = notebook.widgets.indexOf(waiting);
      void run();
    }

    // Run the active cell and stay on the slide, at its next cell with code if there is one.
    async function run() {
      const notebook = panel().content;
      const cell = notebook.activeCell;
      const slide = slides(notebook).find((each) => each.includes(cell)) ?? [];
      notebook.mode = "command";
      await app.commands.execute("notebook:run-cell");
      show();
      void panel().context.save(); // a reload finds it
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
      notes.onkeydown = (event) => {
        const by = { ArrowRight: 1, " ": 1, ArrowLeft: -1 }[event.key];
        if (by) step(by);
        clicker[event.key]?.();
      };
      notes.setInterval(tick, 1000);
      show();
    }

    const title = (slide) => (slide ? metadata(slide[0], "presenter").title : "the end");

    // When a slide should begin: the minutes of all before it, those of earlier chapters too.
    const planned = (all, at) =>
      all
        .slice(0, at)
        .reduce(
          (sum, slide) => sum + (metadata(slide[0], "presenter").minutes ?? 0),
          panel().content.model.getMetadata("presenter")?.begins ?? 0,
        );

    const clock = (minutes) =>
      `${Math.floor(minutes)}:${String(Math.floor((minutes % 1) * 60)).padStart(2, "0")}`;

    function showNotes(all, at) {
      const { say, asked, skip, minutes } = metadata(all[at][0], "presenter");
      const words = [
        ["h1", `${at + 1} / ${all.length}  ${title(all[at])}`],
        ["p", say],
        ["p", asked && `Asked: ${asked}`],
        ["p", skip && `Short of time: ${skip}`],
        ["h2", `Next: ${title(all[at + 1])}`],
        ["footer", ""],
      ];
      const elements = words
        .filter(([, text]) => text !== undefined)
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
      notes.planned = { begins: planned(all, at), minutes: minutes ?? 0 };
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

    // At the first slide; after a reload, where the talk was.
    function arrive() {
      const { at, path } = recall();
      if (path === panel().context.path) panel().content.activeCellIndex = at;
      step(0);
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

    const commands = [
      ["next", "Next slide", () => step(1), ["ArrowRight", "Space"]],
      ["previous", "Previous slide", () => step(-1), ["ArrowLeft", "Shift Space"]],
      ["first", "First slide", () => go(0), ["Home"]],
      ["last", "Last slide", () => go(slides(panel().content).length - 1), ["End"]],
      ["run", "Run the cell and stay on the slide", run, ["Shift Enter"]],
      ["notes", "Open the presenter's notes", openNotes, ["T"]],
    ];
    for (const [name, label, execute, keys] of commands) {
      const command = `${NAME}:${name}`;
      app.commands.addCommand(command, { label, execute });
      for (const key of keys) {
        app.commands.addKeyBinding({ command, keys: [key], selector: COMMAND_MODE });
      }
    }
    app.commands.addKeyBinding({
      command: `${NAME}:run`,
      keys: ["Shift Enter"],
      selector: EDIT_MODE,
    });
    // A clicker sends Page Up and Page Down: they work wherever the cursor stands.
    const clicker = { PageDown: forward, PageUp: () => step(-1) };
    // Neither an editing key that is hit by chance nor one pressed in the dark changes the notebook.
    const mine = [" ", "s", "t"];
    const BLANK = `${NAME}-blank`;
    const onKey = (event) => {
      if (!isOn()) return;
      const typing = event.target.closest("input, textarea, [contenteditable=true]");
      const letter = event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey;
      if (document.body.classList.contains(BLANK) || (!typing && letter && "b.".includes(event.key))) {
        document.body.classList.toggle(BLANK);
      } else if (clicker[event.key]) {
        clicker[event.key]();
      } else if (typing || !letter || mine.includes(event.key)) {
        return;
      }
      event.preventDefault();
      event.stopImmediatePropagation();
    };
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
