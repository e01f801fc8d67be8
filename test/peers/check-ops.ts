/**
 * Checks the files of `ops` and the examples of their pages with the tools that operators have: promtool for the alert
 * rules, and kubeconform (which fetches the published schemas) or kubernetes-validate of PyPI (which brings them) for
 * the manifests. A missing tool is named and skipped.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { missingTool, type Peer, report } from './peer.ts';

const ROOT = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'writ-ops-'));

/** Writes the examples of a page that have a text in them to files. @returns the files */
function examples(page: string, having: string): string[] {
  const text = readFileSync(join(ROOT, 'docs/operate', page), 'utf8');
  return [...text.matchAll(/^```yaml\n(.*?)^```/gms)]
    .filter(([, example = '']) => example.includes(having))
    .map(([, example = ''], index) => {
      const file = join(folder, `${basename(page, '.md')}-${index}.yaml`);
      writeFileSync(file, example);
      return file;
    });
}

/** Runs one check, if its tools are here. @returns whether the check was made */
function check(name: string, tools: Peer['tools'], command: string, ...words: string[]): boolean {
  const missing = missingTool(tools);
  if (missing !== undefined) {
    console.log(`${name}: skipped, ${missing} is not here`);
    return false;
  }
  const { status, stdout, stderr, error } = spawnSync(command, words, { cwd: ROOT, encoding: 'utf8' });
  const said = `${stdout}\n${stderr}`;
  // Debian builds promtool without the discovery of targets in Kubernetes.
  if (said.includes('field kubernetes_sd_configs not found')) {
    console.log(`${name}: skipped, this ${command} knows no kubernetes_sd_configs`);
    return false;
  }
  report(name, status === 0 ? undefined : `${command} ${words.join(' ')}: ${error ?? said}`);
  return true;
}

try {
  const promtool = [['promtool', '--version']] as const;
  const rules = 'ops/prometheus/writ.rules.yaml';
  check('alert rules', promtool, 'promtool', 'check', 'rules', rules);
  check('tests of the alert rules', promtool, 'promtool', 'test', 'rules', 'ops/prometheus/writ.rules.test.yaml');
  // The examples name the rules beside them.
  cpSync(join(ROOT, rules), join(folder, 'writ.rules.yaml'));
  for (const page of ['metrics.md', 'kubernetes.md']) {
    for (const file of examples(page, 'scrape_configs:')) {
      check(`configuration in ${page}`, promtool, 'promtool', 'check', 'config', file);
    }
  }

  // A ServiceMonitor is a resource of the Prometheus Operator: Kubernetes publishes no schema for it.
  const manifests = globSync('ops/kubernetes/*.yaml', { cwd: ROOT }).filter((file) => !file.includes('monitor'));
  const all = [...manifests.toSorted(), ...examples('kubernetes.md', 'kind: ')];
  const checked = [
    check('manifests, by kubeconform', [['kubeconform', '-v']], 'kubeconform', '-strict', ...all),
    check(
      'manifests, by kubernetes-validate',
      [['kubernetes-validate', '--version']],
      'kubernetes-validate',
      '--strict',
      ...all,
    ),
  ];
  if (!checked.includes(true)) console.log('manifests: not checked, neither tool is here');
} finally {
  rmSync(folder, { recursive: true, force: true });
}
