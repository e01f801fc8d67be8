import { builtinModules } from 'node:module';
import { dirname, join } from 'node:path/posix';
import { parseSync, Visitor } from 'oxc-parser';
import manifest from '../../package.json' with { type: 'json' };
import { headlessSentences } from './plain-words.ts';

/** The names in node:crypto that generate random values or lead to such names. */
const RANDOM = /^(?:random|generate|webcrypto|getRandomValues|subtle|default|\*)/;
/** Sub-paths of packages that are public entries. */
const SUB_PATHS = new Set(['ajv/dist/2020.js']);
/** The functions by which these files generate keys: an argument cannot generate keys. */
const KEY_MAKERS: Readonly<Record<string, string>> = {
  'src/domain/signing-keys/signing-key.ts': 'generateKeyPair',
  'src/oauth/ways/decoy.ts': 'generateKeyPairSync',
};
const DATABASE = new Set(['knex', 'knex-pglite', 'pg', '@electric-sql/pglite']);
/** The files of the storage that files outside it may import: one opens the storage, the other reads or writes files. */
const STORAGE_FROM_OUTSIDE: Readonly<Record<string, readonly string[]>> = {
  'src/start/prepare-server.ts': [
    'src/storage/account-cache.ts',
    'src/storage/change-feed.ts',
    'src/storage/create-storage.ts',
    'src/storage/database.ts',
    'src/storage/key-encryption-key.ts',
    'src/storage/load-in-turns.ts',
    'src/storage/open-embedded-database.ts',
    'src/storage/open-postgres-database.ts',
    'src/storage/signing-key-files.ts',
  ],
  'src/start/apply-settings.ts': ['src/storage/root-file.ts'],
  'src/start/tls-files.ts': ['src/storage/file-mode.ts'],
};
const COMMENT_LINES = 8;
const OWNED_TABLES =
  'audit_events|companies|credentials|grantable|grants|group_members|groups|refusals|resource_servers|roles|service_accounts|trusted_issuers';
const REACHES = new RegExp(String.raw`\b(?:from|join|update|into|using)\s+(?:${OWNED_TABLES})\b`, 'i');
/** The ways in which a statement names the owner of its rows: the company, or something that implies the company. */
const SAYS_WHOSE = /company_id|ofAccount\(|OF_GROUP/;
/** The marker in a comment on a statement that means the rows of every company. The reason follows the marker. */
const OF_ALL = /Rows of(?:\n(?: \*|--))? all:/;

/**
 * Finds the places of a file that break a rule of this project. No other tool checks these rules.
 *
 * @param path the path from the root of the project
 * @returns a message for each place
 */
export function violations(path: string, source: string): string[] {
  return path.endsWith('.sql') ? violationsOfSql(source) : violationsOfTypeScript(path, source);
}

/** Checks that the statements of a function name the owner of their rows, or that its comment has the marker. */
function violationsOfSql(source: string): string[] {
  const statements = source.replaceAll(/^--.*$/gm, '');
  const comment = (source.match(/^--.*$/gm) ?? []).map((line) => line.slice(2)).join('\n');
  const namesCompany = !REACHES.test(statements) || SAYS_WHOSE.test(statements) || OF_ALL.test(source);
  return [...headless(comment), ...(namesCompany ? [] : ['the function does not name the company of its rows'])];
}

function headless(comment: string): string[] {
  return headlessSentences(comment).map((sentence) => `a sentence has no subject: ${sentence.slice(0, 60)}`);
}

function violationsOfTypeScript(path: string, source: string): string[] {
  const found: string[] = [];
  const { program, comments, errors } = parseSync(path, source);
  for (const { message } of errors) found.push(`the file cannot be parsed: ${message}`);
  for (const comment of blocksOf(comments, source)) found.push(...headless(comment));
  const inSource = path.startsWith('src/');
  const inTests = path.startsWith('test/');
  const commented = (start: number, end: number): boolean =>
    comments.some((comment) => comment.start >= start && comment.end <= end);
  const textOf = ({ start, end }: { start: number; end: number }): string => source.slice(start, end);
  const lineBefore = (start: number): string => source.slice(0, start).split('\n').slice(-COMMENT_LINES).join('\n');

  function imported(from: string, names: readonly string[], isType = false): void {
    if (!inSource) return;
    const [scope = '', name = ''] = from.split('/');
    const bare = from.startsWith('@') ? `${scope}/${name}` : scope;
    if (from.startsWith('.')) {
      const file = join(dirname(path), from);
      const outside = file.startsWith('src/storage/') && !path.startsWith('src/storage/');
      if (outside && STORAGE_FROM_OUTSIDE[path]?.includes(file) !== true) found.push(`${from} belongs to the storage`);
      return;
    }
    if (!from.startsWith('node:') && builtinModules.includes(from)) found.push(`${from} is written without node:`);
    else if (!from.startsWith('node:')) {
      if (!(bare in (isType ? { ...manifest.dependencies, ...manifest.devDependencies } : manifest.dependencies)))
        found.push(`${bare} is not a dependency of this project`);
      else if (from !== bare && !SUB_PATHS.has(from)) found.push(`${from} is a sub-path that is not public`);
      if (DATABASE.has(bare) && !path.startsWith('src/storage/'))
        found.push(`${from} may be imported by the storage only`);
    }
    if (/^(?:node:)?process$/.test(from) && path !== 'src/main.ts')
      found.push('process may be imported by main.ts only');
    if (/^(?:node:)?crypto$/.test(from) && path !== 'src/start/random.ts') {
      for (const one of names.filter((each) => RANDOM.test(each) && KEY_MAKERS[path] !== each))
        found.push(`${one} of node:crypto is random`);
    }
  }

  function statement(text: string, start: number): void {
    if (!path.startsWith('src/storage/') || !REACHES.test(text) || SAYS_WHOSE.test(text)) return;
    if (!OF_ALL.test(lineBefore(start)))
      found.push(`a statement does not name the company of its rows: ${text.slice(0, 60)}`);
  }

  new Visitor({
    ImportDeclaration(node) {
      const names = node.specifiers.map((specifier) =>
        specifier.type === 'ImportSpecifier'
          ? 'name' in specifier.imported
            ? specifier.imported.name
            : specifier.imported.value
          : specifier.type === 'ImportDefaultSpecifier'
            ? 'default'
            : '*',
      );
      imported(node.source.value, names, node.importKind === 'type');
    },
    ExportAllDeclaration: (node) => imported(node.source.value, ['*']),
    ExportNamedDeclaration(node) {
      if (node.source) imported(node.source.value, ['*']);
    },
    ImportExpression(node) {
      if (!inSource) return;
      if (node.source.type !== 'Literal' || typeof node.source.value !== 'string')
        found.push('the name of an import is computed');
      else imported(node.source.value, ['*']);
    },
    MemberExpression(node) {
      if (!inSource || node.object.type !== 'Identifier') return;
      const { name } = node.object;
      const member = textOf(node.property);
      if (/^(?:globalThis|global)$/.test(name) && (node.computed || member !== 'setTimeout')) {
        found.push(`${textOf(node)} bypasses the rules about globals`);
      }
      if (name === 'Temporal' && member === 'Now') found.push('Temporal.Now is a clock');
    },
    NewExpression(node) {
      const isDate = node.callee.type === 'Identifier' && node.callee.name === 'Date';
      if (inSource && isDate && node.arguments.length === 0 && path !== 'src/start/system-clock.ts') {
        found.push('new Date without an argument is a clock');
      }
    },
    Identifier(node) {
      if (inSource && node.name === 'require') found.push('require bypasses the rules about imports');
    },
    CallExpression(node) {
      const { callee } = node;
      if (inSource && callee.type === 'Identifier' && callee.name === 'Date') found.push('Date() is a clock');
      if (callee.type !== 'MemberExpression' || callee.computed) return;
      const method = textOf(callee.property);
      if (inSource && textOf(callee) === 'Date.now' && path !== 'src/start/system-clock.ts')
        found.push('Date.now is a clock');
      const [first] = node.arguments;
      const isFunction = first?.type === 'ArrowFunctionExpression' || first?.type === 'FunctionExpression';
      if (inSource && method === 'catch' && isFunction && textOf(first.body ?? first) === '{}') {
        found.push('.catch with an empty function swallows errors');
      }
      const of = textOf(callee.object);
      const skips = ['skip', 'only', 'todo'].includes(method) && /^(?:test|describe|it|suite|t|context)$/.test(of);
      if (inTests && skips) found.push(`${of}.${method} leaves tests out`);
    },
    CatchClause({ body }) {
      if (inSource && body.body.length === 0 && !commented(body.start, body.end))
        found.push('an empty catch swallows errors');
    },
    Property(node) {
      if (!inTests || node.key.type !== 'Identifier') return;
      const { name } = node.key;
      const always = node.value.type === 'Literal' && Boolean(node.value.value);
      if (['skip', 'only', 'todo'].includes(name) && always) found.push(`${name} always leaves tests out`);
    },
    TemplateLiteral: (node) => statement(textOf(node), node.start),
    Literal(node) {
      if (typeof node.value === 'string') statement(node.value, node.start);
    },
  }).visit(program);
  return found;
}

/** The texts of comments; comments of one line that follow one another are one text. */
function blocksOf(
  comments: readonly { type: string; value: string; start: number; end: number }[],
  source: string,
): string[] {
  const blocks: { text: string; end: number; type: string }[] = [];
  for (const { type, value, start, end } of comments) {
    const last = blocks.at(-1);
    const follows = last?.type === 'Line' && type === 'Line' && source.slice(last.end, start).trim() === '';
    if (last !== undefined && follows) {
      last.text += `\n${value}`;
      last.end = end;
    } else blocks.push({ text: value, end, type });
  }
  return blocks.map(({ text }) => text);
}
