// The kernel takes this for pyodide.mjs: Python, its packages and PostgreSQL begin side by side.
import { loadPyodide as load } from "./pyodide.mjs";
import { open } from "./databases.mjs";

const HOME = "/drive"; // what JupyterLite keeps of the learner's files

export async function loadPyodide({ packages, ...options }) {
  const opening = open();
  const fetched = fetch(new URL("packages.zip", import.meta.url));
  const python = await load(options);
  const place = python.runPython("import sysconfig; sysconfig.get_path('purelib')");
  python.unpackArchive(await (await fetched).arrayBuffer(), "zip", { extractDir: place });
  python.runPython(`import sys; sys.path.append("${place}/workbook-clone")`);
  python.registerJsModule("pglite_in_tab", await opening);
  python.pyimport("workbook.browser.kernel").begin(HOME);
  return python;
}
export * from "./pyodide.mjs";
