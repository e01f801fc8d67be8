import manifest from '../../package.json' with { type: 'json' };
import { defineRoute, type Route } from './route.ts';

/** `GET /api/version`: shows the version to every caller with a token; it takes no permission. */
export function getVersion(): Route {
  return defineRoute({
    method: 'GET',
    path: '/api/version',
    operationId: 'getVersion',
    summary: 'Read the version of this server',
    tag: 'Self',
    permission: 'none',
    forCompanies: true,
    replies: {
      200: {
        description: 'The version',
        schema: {
          title: 'Version',
          type: 'object',
          properties: { version: { type: 'string', examples: ['1.0.0'] } },
          required: ['version'],
          additionalProperties: false,
        },
      },
    },
    handle: () => Promise.resolve({ status: 200, body: { version: manifest.version } }),
  });
}
