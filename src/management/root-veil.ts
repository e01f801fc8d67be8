import { LRUCache } from 'lru-cache';
import type { CompanyId } from '../domain/ids.ts';

/** The word that a company reads instead of the id of a root account. */
export const ROOT_ACTOR = 'root';

/** As many owners as are remembered: an id is never given out twice, so they never change. */
const REMEMBERED = 20_000;

/** Takes the ids of root accounts out of what an account of a company is answered. */
export interface RootVeil {
  /**
   * @param company of the caller
   * @param body an answer: a thing, or a list of things, with `createdBy` or `actor`
   */
  over(company: CompanyId, body: unknown): Promise<unknown>;
  /** Whether an id is of an account that the company has or had. */
  isOwn(company: CompanyId, id: string): Promise<boolean>;
}

/** @param ownersOf the companies of those of these accounts that belong to one, or did */
export function createRootVeil(
  ownersOf: (clientIds: readonly string[]) => Promise<ReadonlyMap<string, CompanyId>>,
): RootVeil {
  const remembered = new LRUCache<string, CompanyId>({ max: REMEMBERED });

  async function ownIds(company: CompanyId, ids: ReadonlySet<string>): Promise<ReadonlySet<string>> {
    const unknown = [...ids].filter((id) => !remembered.has(id));
    const found = unknown.length === 0 ? new Map<string, CompanyId>() : await ownersOf(unknown);
    for (const [id, owner] of found) remembered.set(id, owner);
    return new Set([...ids].filter((id) => (found.get(id) ?? remembered.get(id)) === company));
  }

  return {
    async over(company, body) {
      const things: unknown[] = Array.isArray(body) ? body : [body];
      const ids = new Set(things.filter(isObject).flatMap(idsIn));
      if (ids.size === 0) return body;
      const own = await ownIds(company, ids);
      const seen = things.map((thing) => (isObject(thing) ? veiled(thing, own) : thing));
      return Array.isArray(body) ? seen : seen[0];
    },

    isOwn: async (company, id) => (await ownIds(company, new Set([id]))).has(id),
  };
}

type Thing = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Thing {
  return typeof value === 'object' && value !== null;
}

function idsIn({ createdBy, actor }: Thing): string[] {
  const acting = isObject(actor) ? actor['clientId'] : undefined;
  return [createdBy, acting].filter((id) => typeof id === 'string');
}

function veiled(thing: Thing, own: ReadonlySet<string>): Thing {
  const shown = (id: unknown): unknown => (typeof id === 'string' && !own.has(id) ? ROOT_ACTOR : id);
  const { actor } = thing;
  const byRoot = isObject(actor) && typeof actor['clientId'] === 'string' && !own.has(actor['clientId']);
  return {
    ...thing,
    ...('createdBy' in thing && { createdBy: shown(thing['createdBy']) }),
    ...(byRoot && { actor: { type: actor['type'], clientId: ROOT_ACTOR } }),
    // A company learns as little of the address that a root account calls from.
    ...(byRoot && 'source' in thing && { source: null }),
  };
}
