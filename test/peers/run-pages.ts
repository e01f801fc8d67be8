import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { snippetOf, snippetsOf } from '../support/snippets.ts';
import { type Command, missingTool, type PagePeer, type PagePeers, report, settle } from './peer.ts';
import type { PeerServer } from './peer-server.ts';

/**
 * Prepares and tries the programs of all pages, and reports each. It also reports a block of code that no program has.
 * Words after the command select the programs whose names have one of them.
 *
 * @param attempt runs a program, and returns what is wrong with it
 */
export async function runPages<T extends PagePeer>(
  pages: PagePeers<T>,
  { issuer, folder }: Pick<PeerServer, 'issuer' | 'folder'>,
  attempt: (peer: T, command: Command, directory: string) => Promise<string | undefined>,
): Promise<void> {
  const wanted = process.argv.slice(2);
  let number = 0;
  for (const [page, peers] of Object.entries(pages)) {
    const used = new Set<string>();
    let all = true;
    for (const [name, peer] of Object.entries(peers)) {
      if (wanted.length > 0 && !wanted.some((word) => name.includes(word))) {
        all = false;
        continue;
      }
      const missing = missingTool(peer.tools);
      if (missing !== undefined) {
        console.log(`${name}: skipped, ${missing} is not here`);
        all = false;
        continue;
      }
      const directory = join(folder, `program-${(number += 1)}`);
      mkdirSync(directory);
      try {
        const command = peer.prepare(directory, (snippet) => {
          used.add(snippet);
          return snippetOf(page, snippet, issuer);
        });
        await settle();
        report(name, await attempt(peer, command, directory));
      } catch (error) {
        report(name, String(error));
      }
    }
    const unused = snippetsOf(page).filter(({ name }) => !used.has(name));
    if (all && unused.length > 0) report(page, `no program runs ${unused.map(({ name }) => name).join(', ')}`);
  }
}
