import { LRUCache } from 'lru-cache';

/** How many values are kept. */
export interface CacheLimits {
  readonly all: number;
  /** The most values of one owner. */
  readonly each: number;
}

/** Keeps the values of many owners. */
export interface FairCache<Value extends object> {
  /** Finds a value of an owner, or keeps the one that `create` returns. */
  get(owner: string, name: string, create: () => Value): Value;
  size(): number;
}

/**
 * Creates a cache in which no owner drives out the values of the others: past its part an owner loses its own oldest
 * value. Past the limit for all, the value goes that was not asked for the longest.
 */
export function createFairCache<Value extends object>({ all, each }: CacheLimits): FairCache<Value> {
  const namesOf = new Map<string, Set<string>>();
  const kept = new LRUCache<string, { owner: string; value: Value }>({
    max: all,
    dispose({ owner }, key) {
      const names = namesOf.get(owner);
      names?.delete(key);
      if (names?.size === 0) namesOf.delete(owner);
    },
  });
  return {
    get(owner, name, create) {
      const key = JSON.stringify([owner, name]);
      const found = kept.get(key);
      if (found !== undefined) return found.value;
      const names = namesOf.get(owner) ?? new Set();
      const [oldest] = names;
      if (oldest !== undefined && names.size >= each) kept.delete(oldest);
      const value = create();
      namesOf.set(owner, names.add(key));
      kept.set(key, { owner, value });
      return value;
    },
    size: () => kept.size,
  };
}
