import { defineConfig } from 'oxlint';
import manifest from './package.json' with { type: 'json' };
import { ROOMS } from './test/project/rooms.ts';

/** Packages that only one room may import. */
const OWNED: Record<string, string> = {
  '@electric-sql/pglite': 'storage',
  'find-my-way': 'management',
  knex: 'storage',
  'knex-pglite': 'storage',
  'koa-compose': 'oauth',
  'oidc-provider': 'oauth',
  pg: 'storage',
  'pg-connection-string': 'config',
};

const RANDOMNESS = {
  name: 'node:crypto',
  importNames: ['randomBytes', 'randomInt', 'randomUUID', 'getRandomValues'],
  message: 'Take randomness as an argument.',
};

/** What the domain may not import: every package but jose. */
const IMPURE = Object.keys(manifest.dependencies).filter((name) => name !== 'jose');

function restrictedImports(room: string) {
  const forbiddenRooms = Object.keys(ROOMS).filter((other) => other !== room && !ROOMS[room]?.includes(other));
  const forbiddenPackages = Object.entries(OWNED).filter(([, owner]) => owner !== room);
  return {
    files: [`src/${room}/**`],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: [
            RANDOMNESS,
            ...forbiddenPackages.map(([name, owner]) => ({ name, message: `Only src/${owner} imports ${name}.` })),
          ],
          patterns: [
            {
              group: [...forbiddenRooms.map((other) => `**/${other}/**`), '**/app.ts', '**/main.ts'],
              message: `src/${room} imports from ${['itself', ...(ROOMS[room] ?? [])].join(', ')} and no other room.`,
            },
            { group: ['oidc-provider/**', 'knex/**', 'jose/**'], message: 'No deep imports.' },
            ...(room === 'domain'
              ? [{ group: ['node:*', '!node:crypto', '!node:util', ...IMPURE], message: 'The domain is pure.' }]
              : []),
          ],
        },
      ],
    },
  } as const;
}

export default defineConfig({
  plugins: ['typescript', 'unicorn', 'import', 'oxc', 'node', 'promise'],
  categories: { correctness: 'error', suspicious: 'error', perf: 'error' },
  options: { typeAware: true },
  rules: {
    'import/no-cycle': ['error', { ignoreTypes: false }],
    'import/no-default-export': 'error',
    'import/no-named-as-default': 'off',
    'import/no-named-as-default-member': 'off',
    'no-await-in-loop': 'off',
    // Copies are what readonly types are for; none of these is in a hot loop.
    'oxc/no-map-spread': 'off',
    'no-shadow': 'off',
    'no-underscore-dangle': 'off',
    'no-console': 'error',
    eqeqeq: 'error',
    'no-var': 'error',
    'prefer-const': 'error',
    'no-param-reassign': 'error',
    'max-lines': ['error', { max: 250, skipBlankLines: true, skipComments: true }],
    'typescript/no-explicit-any': 'error',
    'typescript/no-non-null-assertion': 'error',
    'typescript/no-unsafe-type-assertion': 'error',
    'typescript/consistent-type-imports': 'error',
    'typescript/explicit-module-boundary-types': 'error',
    'typescript/no-floating-promises': 'error',
    'typescript/no-misused-promises': ['error', { checksVoidReturn: false }],
    'typescript/switch-exhaustiveness-check': 'error',
    // The compiler checks returns, and knows exhaustive switches.
    'typescript/consistent-return': 'off',
    'unicorn/consistent-function-scoping': 'off',
    'typescript/require-array-sort-compare': 'off',
    // Methods here are closures: nothing in this code base has a `this`.
    'typescript/unbound-method': 'off',
    'unicorn/filename-case': ['error', { case: 'kebabCase' }],
    'unicorn/no-process-exit': 'error',
    'no-restricted-globals': [
      'error',
      { name: 'process', message: 'main.ts is the only reader of process.' },
      { name: 'crypto', message: 'Take randomness as an argument.' },
    ],
    'no-restricted-properties': [
      'error',
      { object: 'Date', property: 'now', message: 'Take a Clock.' },
      { object: 'Math', property: 'random', message: 'Take randomness as an argument.' },
    ],
    'no-restricted-imports': ['error', { paths: [RANDOMNESS] }],
  },
  overrides: [
    ...Object.keys(ROOMS).map(restrictedImports),
    { files: ['src/start/random.ts'], rules: { 'no-restricted-imports': 'off' } },
    {
      files: ['src/main.ts'],
      rules: { 'no-restricted-globals': 'off', 'no-console': 'off', 'unicorn/no-process-exit': 'off' },
    },
    { files: ['test/peers/**'], rules: { 'no-console': 'off' } },
    {
      files: ['examples/**'],
      rules: {
        'no-console': 'off',
        'no-restricted-globals': 'off',
        'no-restricted-imports': 'off',
        'no-restricted-properties': 'off',
        'unicorn/no-invalid-fetch-options': 'off',
      },
    },
    { files: ['oxlint.config.ts'], rules: { 'import/no-default-export': 'off' } },
    {
      files: ['test/**', 'bench/**', 'conformance/**'],
      rules: {
        'max-lines': 'off',
        'no-restricted-globals': 'off',
        'no-restricted-properties': 'off',
        'no-restricted-imports': 'off',
        'typescript/no-unsafe-type-assertion': 'off',
        'typescript/no-base-to-string': 'off',
        'unicorn/prefer-set-has': 'off',
        'typescript/no-floating-promises': [
          'error',
          {
            allowForKnownSafeCalls: [
              { from: 'package', package: 'node:test', name: ['test', 'describe', 'it', 'suite'] },
            ],
          },
        ],
      },
    },
  ],
  ignorePatterns: ['data', 'coverage'],
});
