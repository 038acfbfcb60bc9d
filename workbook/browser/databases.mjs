// The learner's database and the scratch database, each in a PGlite of its own.
//
// A kernel has both in its memory. The learner's is kept in IndexedDB after each cell that has
// changed it, as PostgreSQL's own files. Kernels take turns, cell by cell, and one that finds a
// later version than its own begins with that.
import { PGlite } from "./pglite/index.js";

const LEARNERS = "jobboard", SCRATCH = "jobboard_scratch";
const LOCK = "workbook", STORE = "databases";

async function file(name) {
  const answer = await fetch(new URL(name, import.meta.url));
  if (!answer.ok) throw new Error(`${name}: ${answer.status} ${answer.statusText}`);
  return answer;
}

// Reads or writes one entry; a browser that keeps nothing, in a private window say, has none.
function kept(mode, work) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open("workbook", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const transaction = opening.result.transaction(STORE, mode);
      const asked = work(transaction.objectStore(STORE));
      const close = (end) => () => (opening.result.close(), end());
      transaction.oncomplete = close(() => resolve(asked.result));
      transaction.onabort = close(() => reject(transaction.error));
    };
  });
}
const latest = () => kept("readonly", (store) => store.get(LEARNERS)).catch(() => undefined);
const write = (version, files) =>
  kept("readwrite", (store) => store.put({ version, files }, LEARNERS));

export async function open() {
  const [cluster, program, found] = await Promise.all([
    file("cluster.tar.gz").then((answer) => answer.blob()),
    file("pglite/pglite.wasm").then((answer) => WebAssembly.compileStreaming(answer)),
    latest(),
  ]);
  const start = (database, files) =>
    PGlite.create({ loadDataDir: files, pgliteWasmModule: program, database });
  const servers = new Map();
  let version, place, release = () => {};

  // One message at a time, as it is: what it changes is kept when it has moved the log's end.
  const run = (sql) => {
    const text = new TextEncoder().encode(sql), message = new Uint8Array(text.length + 6);
    message[0] = 81; // Q
    new DataView(message.buffer).setInt32(1, text.length + 5);
    message.set(text, 5);
    return String(servers.get(LEARNERS).execProtocolRawSync(message));
  };
  const end = () => run("SELECT pg_current_wal_insert_lsn()");

  async function take(from) {
    try {
      servers.set(LEARNERS, await start(LEARNERS, from?.files ?? cluster));
    } catch (error) {
      console.error("The database that was kept does not start; this is a new one.", error);
      servers.set(LEARNERS, await start(LEARNERS, cluster));
    }
    version = from?.version;
    place = end();
  }
  await Promise.all([
    take(found),
    start(SCRATCH, cluster).then((server) => servers.set(SCRATCH, server)),
  ]);

  return {
    has: (database) => servers.has(database),
    ask: (database, message) => servers.get(database).execProtocolRawSync(message),
    // Before a cell; whether the database is another than before.
    begin: async () => {
      await new Promise((ours) => {
        navigator.locks.request(LOCK, () => new Promise((free) => ours((release = free))));
      });
      const now = await latest();
      if (!now || now.version === version) return false;
      await servers.get(LEARNERS).close();
      await take(now);
      return true;
    },
    // After a cell.
    end: async () => {
      try {
        if (end() === place) return;
        run("CHECKPOINT");
        place = end();
        const files = await servers.get(LEARNERS).dumpDataDir("gzip");
        const next = crypto.randomUUID();
        await write(next, files);
        version = next;
      } catch (error) {
        console.error("This browser does not keep the database:", error);
      } finally {
        release();
      }
    },
  };
}
