/** The rooms of `src` that each room may import from, besides itself; `main.ts` and `app.ts` may import from all. */
export const ROOMS: Record<string, readonly string[]> = {
  background: ['domain', 'observability'],
  config: ['domain'],
  domain: [],
  'foreign-keys': ['domain', 'pacing'],
  faces: ['config', 'domain', 'foreign-keys', 'http', 'management', 'oauth', 'observability', 'pacing', 'start'],
  http: ['domain', 'observability'],
  management: ['domain', 'http', 'observability', 'pacing'],
  oauth: ['domain', 'http', 'observability'],
  observability: ['domain'],
  pacing: [],
  start: ['background', 'config', 'domain', 'observability', 'pacing', 'storage'],
  storage: ['domain', 'pacing'],
};
