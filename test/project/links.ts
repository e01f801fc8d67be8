import { posix } from 'node:path';

/** The pages of the project with their texts, by their paths from its root. */
export type Pages = ReadonlyMap<string, string>;

/** A link from a page to a file of the project, perhaps to a heading in it. */
interface Link {
  readonly target: string;
  readonly anchor: string | undefined;
}

/**
 * Finds the links that lead nowhere: to a path that does not exist, or to a heading that the page does not have.
 *
 * @param exists whether a path from the root of the project is a file or a folder
 */
export function brokenLinks(pages: Pages, exists: (path: string) => boolean): string[] {
  return [...pages].flatMap(([page, text]) =>
    linksOf(page, text).flatMap(({ target, anchor }) => {
      if (!exists(target)) return [`${page}: there is no ${target}`];
      if (anchor === undefined) return [];
      const there = pages.get(target);
      if (there === undefined) return [`${page}: ${target} has no headings`];
      return anchorsOf(there).has(anchor) ? [] : [`${page}: ${target} has no heading #${anchor}`];
    }),
  );
}

/** The pages that links lead to from the start pages, with the start pages. */
export function reachable(pages: Pages, starts: readonly string[]): Set<string> {
  const found = new Set(starts);
  for (const page of found) {
    for (const { target } of linksOf(page, pages.get(page) ?? '')) if (pages.has(target)) found.add(target);
  }
  return found;
}

/** The links of a page to files of the project. Code has no links. */
function linksOf(page: string, text: string): Link[] {
  const links: Link[] = [];
  for (const [, inline, defined] of prose(text).matchAll(/\]\(\s*<?([^\s)>]+)|^ {0,3}\[[^\]]+\]:\s+<?([^\s>]+)/gm)) {
    const destination = inline ?? defined ?? '';
    if (/^[a-z][a-z+.-]*:|^\/\//i.test(destination)) continue;
    const [path = '', anchor] = destination.split('#', 2);
    const target = path === '' ? page : posix.join(posix.dirname(page), decodeURIComponent(path));
    links.push({ target: target.replace(/\/$/, ''), anchor: anchor && decodeURIComponent(anchor) });
  }
  return links;
}

/** The text without its code, in which nothing is a link or a heading. */
function prose(text: string): string {
  return withoutBlocks(text).replaceAll(/(`+)(?!`)[^]*?(?<!`)\1(?!`)/g, '');
}

function withoutBlocks(text: string): string {
  return text.replaceAll(/^ {0,3}(```+|~~~+)[^]*?^ {0,3}\1.*$/gm, '').replaceAll(/(?<=\n\n)(?: {4}.*\n)+/g, '');
}

/**
 * The anchors of the headings of a page, by the rules of GitHub: lower case, without punctuation, each blank a hyphen,
 * and a number after an anchor that the page has already.
 */
export function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of withoutBlocks(text).matchAll(/^ {0,3}#{1,6}\s+(.+?)(?:\s+#+)?\s*$/gm)) {
    const shown = heading.replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll(/[*`]/g, '');
    const anchor = shown
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{M}\p{N}\p{Pc} -]/gu, '')
      .replaceAll(' ', '-');
    let unused = anchor;
    for (let number = 1; anchors.has(unused); number += 1) unused = `${anchor}-${number}`;
    anchors.add(unused);
  }
  return anchors;
}
