import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PROBLEM_CODES } from '../../src/http/problem.ts';
import { OAUTH_ERROR_CODES } from '../../src/oauth/refusals/oauth-error.ts';
import { readPage } from '../support/document.ts';

const [, oauth = '', management = ''] = readPage('docs/reference/errors.md').split(/^## /m);

/** The codes in the first column of a table. */
function explained(section: string): (string | undefined)[] {
  return [...section.matchAll(/^\| `(\w+)` +\| \d/gm)].map(([, code]) => code).toSorted();
}

test('the page of errors explains every error of the OAuth endpoints, each once, and no other', () => {
  assert.deepEqual(explained(oauth), OAUTH_ERROR_CODES.toSorted());
});

test('the page of errors explains every code of the management API, each once, and no other', () => {
  assert.deepEqual(explained(management), PROBLEM_CODES.toSorted());
});
