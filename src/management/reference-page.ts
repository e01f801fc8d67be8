/** The members of the OpenAPI document that the page shows. */
export interface ApiDocument {
  readonly info: { readonly title: string; readonly description: string; readonly [more: string]: unknown };
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, DocumentedOperation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, unknown>>; readonly [more: string]: unknown };
  readonly [more: string]: unknown;
}

/** One operation of the document. */
export interface DocumentedOperation {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly parameters: readonly {
    readonly name: string;
    readonly in: string;
    readonly schema: unknown;
    readonly description?: string;
  }[];
  readonly security: readonly { readonly accessToken: readonly string[] }[];
  readonly requestBody?: { readonly required?: boolean; readonly content: Readonly<Record<string, Content>> };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: unknown }>>;
}

interface Content {
  readonly schema?: unknown;
  readonly example?: unknown;
}

/** The members of a schema that the page shows. */
interface Shown {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly unknown[];
  readonly oneOf?: readonly unknown[];
  readonly items?: unknown;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly required?: readonly string[];
}

const STYLE = `
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
code, pre { font-family: ui-monospace, monospace; font-size: 0.9em; }
pre { background: #8881; padding: 0.75rem; overflow-x: auto; }
details { border-top: 1px solid #8884; padding: 0.4rem 0; }
summary { cursor: pointer; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 0.25rem 0.75rem 0.25rem 0; border-top: 1px solid #8884; }
.method { display: inline-block; min-width: 4.5rem; font-weight: bold; }
:root { color-scheme: light dark; }
`;

/**
 * Writes the page that shows an OpenAPI document to people. The page has no script, and loads nothing.
 *
 * @returns HTML
 */
export function referencePage({ info, tags, paths, components }: ApiDocument): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
  const sections = tags.map(({ name, description }) => {
    const ours = operations.filter(({ operation }) => operation.tags.includes(name));
    return `<h2 id="${anchor(name)}">${text(name)}</h2><p>${prose(description)}</p>${ours.map(operationOf).join('')}`;
  });
  const schemas = Object.entries(components.schemas).map(
    ([name, schema]) =>
      `<details id="schema-${anchor(name)}"><summary><code>${text(name)}</code></summary>${members(schema)}</details>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${text(info.title)}</title><style>${STYLE}</style></head><body>
<h1>${text(info.title)}</h1>
${info.description
  .split('\n\n')
  .map((paragraph) => `<p>${prose(paragraph)}</p>`)
  .join('\n')}
<p>The same for programs: <a href="openapi.json">openapi.json</a>.</p>
<ul>${tags.map(({ name }) => `<li><a href="#${anchor(name)}">${text(name)}</a></li>`).join('')}<li><a href="#schemas">Schemas</a></li></ul>
${sections.join('\n')}
<h2 id="schemas">Schemas</h2>
${schemas.join('\n')}
</body></html>
`;
}

function operationOf({ method, path, operation }: { method: string; path: string; operation: DocumentedOperation }) {
  const { operationId, summary, parameters, security, requestBody, responses } = operation;
  const permissions = security.flatMap(({ accessToken }) => accessToken);
  const needed =
    security.length === 0
      ? 'Everyone may call this.'
      : permissions.length === 0
        ? 'Takes an access token, and no permission.'
        : `Takes ${permissions.map((name) => `<code>${text(name)}</code>`).join(' or ')}.`;
  const { schema, example } = requestBody?.content['application/json'] ?? {};
  return `<details id="${anchor(operationId)}">
<summary><span class="method">${method}</span> <code>${text(path)}</code> ${prose(summary)}</summary>
<p>${needed}</p>
${table(
  ['parameter', 'in', 'form', 'meaning'],
  parameters.map(({ name, in: where, schema: form, description = '' }) => [
    `<code>${text(name)}</code>`,
    text(where),
    formOf(form),
    prose(description),
  ]),
)}
${schema === undefined ? '' : `<p>Body: ${formOf(schema)}</p>`}
${example === undefined ? '' : `<pre>${text(JSON.stringify(example, null, 2))}</pre>`}
${table(
  ['status', 'meaning', 'body'],
  Object.entries(responses).map(([status, { description, content }]) => [
    text(status),
    prose(description),
    formOf(schemaIn(content)),
  ]),
)}
</details>`;
}

function schemaIn(content: unknown): unknown {
  const [first]: unknown[] = Object.values(content ?? {});
  return typeof first === 'object' && first !== null && 'schema' in first ? first.schema : undefined;
}

/** Shows the members of an object, or the form of any other value. */
function members(schema: unknown): string {
  const { properties, required = [], description = '' } = shown(schema);
  if (properties === undefined) return `<p>${formOf(schema)} ${prose(description)}</p>`;
  return table(
    ['member', 'form', 'meaning'],
    Object.entries(properties).map(([name, member]) => [
      `<code>${text(name)}</code>${required.includes(name) ? '' : ' (optional)'}`,
      formOf(member),
      prose(shown(member).description ?? ''),
    ]),
  );
}

/** Says in a few words which values a schema takes. */
function formOf(schema: unknown): string {
  const { $ref, anyOf, oneOf, items, enum: values, type, properties } = shown(schema);
  if ($ref !== undefined) {
    const name = $ref.slice($ref.lastIndexOf('/') + 1);
    return `<a href="#schema-${anchor(name)}"><code>${text(name)}</code></a>`;
  }
  const choices = anyOf ?? oneOf;
  if (choices !== undefined) return choices.map(formOf).join(' or ');
  if (values !== undefined) return values.map((value) => `<code>${text(String(value))}</code>`).join(', ');
  if (items !== undefined) return `array of ${formOf(items)}`;
  if (properties !== undefined) {
    return `object with ${Object.keys(properties)
      .map((name) => `<code>${text(name)}</code>`)
      .join(', ')}`;
  }
  return text(type === undefined ? '' : [type].flat().join(' or '));
}

function shown(schema: unknown): Shown {
  return typeof schema === 'object' && schema !== null ? schema : {};
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const row = (cells: readonly string[], tag: string): string =>
    `<tr>${cells.map((cell) => `<${tag}>${cell}</${tag}>`).join('')}</tr>`;
  return `<table>${row(head, 'th')}${rows.map((cells) => row(cells, 'td')).join('')}</table>`;
}

function anchor(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9]+/g, '-');
}

/** Writes text with `code` in backticks. */
function prose(markdown: string): string {
  return text(markdown).replaceAll(/`([^`]+)`/g, '<code>$1</code>');
}

function text(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
