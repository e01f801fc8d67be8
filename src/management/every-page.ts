import type { Page, PageRequest } from '../domain/page.ts';

const PAGE = 1000;

/** Reads all pages of a list. */
export async function everyPage<Item>(read: (page: PageRequest) => Promise<Page<Item>>): Promise<Item[]> {
  const all: Item[] = [];
  let page = await read({ limit: PAGE, after: undefined });
  all.push(...page.items);
  while (page.next !== undefined) {
    page = await read({ limit: PAGE, after: page.next });
    all.push(...page.items);
  }
  return all;
}
