/**
 * Fills a database with companies and accounts. Each account has a role and a permission, two secrets and a public key.
 * `npm run bench:seed -- --help` lists the options.
 */
import { generateKeyPairSync } from 'node:crypto';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { parseConfig } from '../src/config/parse-config.ts';
import { prepareServer } from '../src/start/prepare-server.ts';
import { quietSurroundings } from '../test/support/config.ts';
import { seededId, seededSecret } from './seeded.ts';

/** How much a database is filled with. */
interface Wanted {
  readonly companies: number;
  readonly accounts: number;
}

/** The most rows in one statement. */
const PART = 50_000;
const publicJwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
/** Status lists that no server has begun. */
const FIRST_LIST = 1000;
const LIST_CAPACITY = 1_048_576;

/**
 * Fills a database of PostgreSQL. Half of the accounts belong to root, the others to the companies in turn.
 *
 * @param url a database on which a server has been started
 * @param keysFolder the folder of the server's key-encryption key: the hashes of secrets depend on it
 */
export async function seed(url: string, keysFolder: string, wanted: Wanted): Promise<void> {
  const { config } = parseConfig({ DATABASE_URL: url, WRIT_KEYS_DIR: keysFolder });
  const server = await prepareServer(config, quietSurroundings());
  const { hashSecret } = server.credentialTools;
  await server.close();
  const client = new pg.Client(url);
  await client.connect();
  try {
    await client.query(
      `insert into companies (company_id, name, state, created_at, created_by, updated_at, revision)
         select 'company-' || n, 'Company ' || n, 'enabled', now(), 'sa_seed_1', now(), 1 from generate_series(1, $1) n`,
      [wanted.companies],
    );
    await client.query(
      `insert into roles (role_key, role_id, name) select 'role_seed_' || n, 'role-' || n, 'Role ' || n from generate_series(1, 20) n`,
    );
    await client.query(
      `insert into role_permissions select 'role_seed_' || n, 'orders:' || p, 'default', false
         from generate_series(1, 20) n, generate_series(1, 5) p`,
    );
    for (let first = 1; first <= wanted.accounts; first += PART) {
      await seedPart(client, hashSecret, wanted, first, Math.min(first + PART - 1, wanted.accounts));
    }
    await client.query('vacuum analyze');
    await client.query('checkpoint');
  } finally {
    await client.end();
  }
}

/** Seeds the accounts from one number to another. */
async function seedPart(
  client: pg.Client,
  hashSecret: (secret: string) => Buffer,
  { companies }: Wanted,
  first: number,
  last: number,
): Promise<void> {
  const company = `case when n % 2 = 0 then 'company-' || (1 + (n / 2) % ${companies}) end`;
  const numbers = `generate_series(${first}, ${last}) n`;
  await client.query(
    `insert into service_accounts (client_id, company_id, slug, name, audience, created_at, updated_at)
       select 'sa_seed_' || n, ${company}, 'seed-' || n, 'Seed ' || n, 'default', now() - n * interval '1 second', now()
       from ${numbers}`,
  );
  await client.query(
    `insert into grants (grant_id, client_id, company_id, kind, name, resource_server, role_key)
       select 'grant_seed_p' || n, 'sa_seed_' || n, ${company}, 'permission', 'seed:' || n, 'default', null from ${numbers}
       union all
       select 'grant_seed_r' || n, 'sa_seed_' || n, ${company}, 'role', 'role-' || (1 + n % 20), null, 'role_seed_' || (1 + n % 20)
       from ${numbers}`,
  );
  const hashes = Array.from({ length: last - first + 1 }, (_, index) => {
    const clientId = seededId(first + index);
    return [hashSecret(seededSecret(clientId)), hashSecret(`other ${seededSecret(clientId)}`)] as const;
  });
  for (const which of [0, 1] as const) {
    await client.query(
      `insert into credentials (credential_id, client_id, company_id, type, secret_hash, hint, created_at)
         select 'cred_seed_' || ${which} || '_' || n, 'sa_seed_' || n, ${company}, 'client_secret', hash, 'secret-of', now()
         from unnest($1::bytea[]) with ordinality as hashed (hash, position), lateral (select ${first - 1} + position as n)`,
      [hashes.map((pair) => pair[which])],
    );
  }
  await client.query(
    `insert into credentials (credential_id, client_id, company_id, type, kid, data, created_at)
       select 'cred_seed_2_' || n, 'sa_seed_' || n, ${company}, 'public_key', 'seed', $1, now() from ${numbers}`,
    [JSON.stringify({ publicKey: { ...publicJwk, alg: 'ES256' }, assertionAudiences: [] })],
  );
  await client.query(
    `insert into status_entries (list, idx, credential_id, client_id, company_id)
       select ${FIRST_LIST} + (3 * n + which) / ${LIST_CAPACITY}, (3 * n + which) % ${LIST_CAPACITY},
         'cred_seed_' || which || '_' || n, 'sa_seed_' || n, ${company}
       from ${numbers}, generate_series(0, 2) which`,
  );
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      database: { type: 'string' },
      keys: { type: 'string', default: './keys' },
      companies: { type: 'string', default: '100' },
      accounts: { type: 'string', default: '100000' },
      help: { type: 'boolean', default: false },
    },
  });
  const { database, keys, companies, accounts } = values;
  if (values.help || database === undefined) {
    process.stdout.write('--database postgres://…  --keys ./keys  --companies 100  --accounts 100000\n');
  } else {
    await seed(database, keys, { companies: Number(companies), accounts: Number(accounts) });
  }
}
