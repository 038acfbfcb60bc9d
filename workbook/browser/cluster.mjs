// At build time, in Node: a cluster with the learner's two databases, so that no browser runs initdb.
import { writeFileSync } from "node:fs";

const [library, file] = process.argv.slice(2);
const { PGlite } = await import(library);
const small = ["-c", "min_wal_size=2MB", "-c", "wal_recycle=off"];
const cluster = await PGlite.create({
  initDbStartParams: ["--wal-segsize=1"],
  startParams: [...PGlite.defaultStartParams, ...small],
});
const statements = ["ALTER SYSTEM SET timezone = 'UTC'", "ALTER SYSTEM SET min_wal_size = '2MB'"];
statements.push("CREATE ROLE learner LOGIN CREATEDB IN ROLE pg_checkpoint");
for (const name of ["jobboard", "jobboard_scratch"])
  statements.push(`CREATE DATABASE ${name} OWNER learner STRATEGY file_copy`);
statements.push("UPDATE pg_database SET datistemplate = false", "DROP DATABASE template0", "DROP DATABASE template1");
for (const each of [...statements, "VACUUM", "CHECKPOINT"]) await cluster.exec(each);
writeFileSync(file, Buffer.from(await (await cluster.dumpDataDir("gzip")).arrayBuffer()));
process.exit(0);
