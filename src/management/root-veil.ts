import { LRUCache } from 'lru-cache';
import type { CompanyId } from '../domain/ids.ts';

/** The word that accounts of companies see in place of the id of a root account. */
export const ROOT_ACTOR = 'root';

/** The most accounts whose companies are remembered. The companies never change: no id is given out twice. */
const REMEMBERED = 20_000;

/** Hides root accounts in the answers to accounts of companies. */
export interface RootVeil {
  /**
   * Replaces the ids of root accounts in an answer.
   *
   * @param company the company of the caller
   * @param body the body of the answer: a resource or a list of resources, with `createdBy` or `actor`
   */
  over(company: CompanyId, body: unknown): Promise<unknown>;
  /** Whether an id belongs or once belonged to an account of the company. */
  isOwn(company: CompanyId, id: string): Promise<boolean>;
}

/** @param ownersOf returns the companies of existing and deleted accounts; root accounts are left out */
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
    // The source address of a root account is hidden, too.
    ...(byRoot && 'source' in thing && { source: null }),
  };
}
