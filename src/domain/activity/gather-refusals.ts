import { MOST_RECENT, type Refusals } from './refusal.ts';

/** Refusals that wait to be written to the database. */
export interface GatheredRefusals {
  add(refusals: Refusals): void;
  /** The number of waiting rows. */
  size(): number;
  /** Takes all waiting refusals, and the number of requests that were dropped because there was no room. */
  take(): { readonly gathered: Refusals[]; readonly dropped: number };
}

/** The most sources for one reason of an account, and the most unknown ids of one source, that have their own rows. */
export const MOST_ALONE = 8;

/**
 * Adds refusals up by client, reason and source. A client can make up sources or ids, so one of the two has at most
 * {@link MOST_ALONE} rows of its own; all others are added up in one row without it.
 *
 * @param folding the member that is left out in the row for all others: the source for accounts, the id for unknown ids
 * @param capacity the most rows at once
 */
export function gatherRefusals(folding: 'source' | 'clientId', capacity: number): GatheredRefusals {
  let rows = new Map<string, Refusals>();
  let alone = new Map<string, number>();
  let dropped = 0;

  function place(refusals: Refusals): void {
    const key = keyOf(refusals);
    const known = rows.get(key);
    if (known !== undefined) rows.set(key, sumOf(known, refusals));
    else if (rows.size < capacity) rows.set(key, refusals);
    else dropped += refusals.count;
  }

  return {
    add(refusals) {
      const bucket = folding === 'source' ? `${refusals.clientId} ${refusals.reason}` : `${refusals.source}`;
      const beside = alone.get(bucket) ?? 0;
      if (refusals[folding] === undefined || rows.has(keyOf(refusals))) place(refusals);
      else if (beside >= MOST_ALONE) place({ ...refusals, [folding]: undefined });
      else {
        place(refusals);
        if (rows.has(keyOf(refusals))) alone.set(bucket, beside + 1);
      }
    },

    size: () => rows.size,

    take() {
      const taken = { gathered: [...rows.values()], dropped };
      rows = new Map();
      alone = new Map();
      dropped = 0;
      return taken;
    },
  };
}

function keyOf({ clientId, reason, source }: Refusals): string {
  return `${clientId ?? ''} ${reason} ${source ?? ''}`;
}

function sumOf(one: Refusals, other: Refusals): Refusals {
  const [earlier, later] = one.lastAt <= other.lastAt ? [one, other] : [other, one];
  return {
    ...one,
    count: one.count + other.count,
    firstAt: one.firstAt <= other.firstAt ? one.firstAt : other.firstAt,
    lastAt: later.lastAt,
    recent: [...later.recent, ...earlier.recent].slice(0, MOST_RECENT),
  };
}
