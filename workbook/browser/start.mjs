// The kernel takes this for pyodide.mjs: Python, its packages and PostgreSQL begin side by side.
import { loadPyodide as load } from "./pyodide.mjs";
import { PGlite } from "./pglite/index.js";

const DATABASES = ["jobboard", "jobboard_scratch"];
const HOME = "/drive";

async function file(name) {
  const answer = await fetch(new URL(name, import.meta.url));
  if (!answer.ok) throw new Error(`${name}: ${answer.status} ${answer.statusText}`);
  return answer;
}

async function servers() {
  const [cluster, program] = await Promise.all([
    file("cluster.tar.gz").then((answer) => answer.blob()),
    file("pglite/pglite.wasm").then((answer) => WebAssembly.compileStreaming(answer)),
  ]);
  const open = (database) =>
    PGlite.create({ loadDataDir: cluster, pgliteWasmModule: program, database });
  const opened = await Promise.all(DATABASES.map(open));
  return new Map(DATABASES.map((name, at) => [name, opened[at]]));
}

export async function loadPyodide({ packages, ...options }) {
  const opening = servers();
  const fetched = file("packages.zip").then((answer) => answer.arrayBuffer());
  const python = await load(options);
  const place = python.runPython("import sysconfig; sysconfig.get_path('purelib')");
  python.unpackArchive(await fetched, "zip", { extractDir: place });
  python.runPython(`import sys; sys.path.append("${place}/workbook-clone")`);
  const opened = await opening;
  python.registerJsModule("pglite_in_tab", {
    has: (name) => opened.has(name),
    ask: (name, message) => opened.get(name).execProtocolRawSync(message),
  });
  python.pyimport("workbook.browser.kernel").begin(HOME);
  return python;
}
export * from "./pyodide.mjs";
