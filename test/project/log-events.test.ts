import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { loggedEvents } from './logged-events.ts';

const ROOT = join(import.meta.dirname, '../..');
const PAGE = readFileSync(join(ROOT, 'docs/reference/log-events.md'), 'utf8');

describe('the page of log events', () => {
  const rows = [...PAGE.matchAll(/^\| `(\w+\.\w+)` +\| ([^|]+) \|/gm)].map(([, event = '', levels = '']) => ({
    event,
    levels: [...levels.matchAll(/`(\w+)`/g)].map(([, level]) => level),
  }));
  const files = globSync('src/**/*.ts', { cwd: ROOT });
  const logged = files.flatMap((file) => loggedEvents(file, readFileSync(join(ROOT, file), 'utf8')).events);

  test('has a row for every event that the source logs, each once, and no other', () => {
    assert.deepEqual(
      rows.map(({ event }) => event).toSorted(),
      [...new Set(logged.map(({ event }) => event))].toSorted(),
    );
  });

  test('names the level of every event whose level stands in the source', () => {
    const wrong = logged.filter(
      ({ event, level }) =>
        level !== undefined && !rows.some((row) => row.event === event && row.levels.includes(level)),
    );
    assert.deepEqual(wrong, []);
  });

  test('can be complete: every line has an event, and its name can be read in the source', () => {
    const unreadable = files.flatMap((file) =>
      loggedEvents(file, readFileSync(join(ROOT, file), 'utf8')).unreadable.map((place) => `${file}: ${place}`),
    );
    assert.deepEqual(unreadable, []);
  });
});

describe('the search for log events', () => {
  const eventsIn = (source: string): string[] =>
    loggedEvents('src/x.ts', source).events.map(({ event, level }) => `${level} ${event}`);

  test('finds an event and its level', () => {
    assert.deepEqual(eventsIn(`logger.warn({ event: 'a.b', count }, 'text');`), ['warn a.b']);
    assert.deepEqual(eventsIn(`logger[level]({ event: 'a.b' });`), ['undefined a.b']);
    assert.deepEqual(eventsIn(`outages.failed('a.b', error);`), ['warn a.b']);
    assert.deepEqual(eventsIn(`start(items, write, { event: 'a.b' });`), ['undefined a.b']);
  });

  test('reports a line without an event, and an event whose name is computed', () => {
    for (const source of [
      `logger.info('text');`,
      `logger.info({ requestId }, 'text');`,
      'logger.info({ event: name });',
      'logger.info({ event: `a.${name}` });',
      'logRefusal(logger, name, ctx);',
    ]) {
      assert.equal(loggedEvents('src/x.ts', source).unreadable.length, 1, source);
    }
  });
});
