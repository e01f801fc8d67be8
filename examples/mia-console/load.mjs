// Loads the permission catalogue of the Mia-Platform Console and its role table into Writ:
//
//     TOKEN=… node examples/mia-console/load.mjs http://localhost:3000
//
// TOKEN is an access token of a root account for the management API. Said again, it changes nothing.
import { readFileSync } from 'node:fs';

const read = (file) => JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8'));
const base = process.argv[2] ?? 'http://localhost:3000';

async function call(method, path, body) {
  const reply = await fetch(new URL(path, base), {
    method,
    headers: { Authorization: `Bearer ${process.env.TOKEN}`, 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (reply.ok || reply.status === 409) return reply;
  throw new Error(`${method} ${path}: ${reply.status} ${await reply.text()}`);
}

const { identifier, name, permissions } = read('catalogue.json');
const registered = await call('POST', '/api/resource-servers', { identifier, name, permissions });
if (registered.status === 409) {
  const location = registered.headers.get('location');
  if (location === null) throw new Error(await registered.text());
  const changed = await call('PATCH', new URL(location, registered.url), { name, permissions });
  if (!changed.ok) throw new Error(await changed.text());
}
for (const [role, names] of Object.entries(read('roles.json'))) {
  // With the resource server, so that they mean the Console's whatever else is declared.
  const bound = names.map((permission) => ({ permission, resource: identifier }));
  const changed = await call('PATCH', `/api/roles/${role}`, { permissions: bound });
  if (!changed.ok) throw new Error(await changed.text());
}
process.stdout.write(`${permissions.length} permissions of ${identifier}, and what each role has of them\n`);
