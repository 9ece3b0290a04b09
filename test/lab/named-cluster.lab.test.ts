import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { openTransport } from '../../src/kube/http.ts';
import { readKubeconfig } from '../../src/kube/kubeconfig.ts';
import { openLab } from './lab.ts';

let kubeconfig = '';
let endpoint = '';
beforeAll(async () => {
  const { cluster } = await openLab('cluster');
  if (cluster === undefined) throw new Error('the lab gave no cluster');
  ({ kubeconfig, endpoint } = cluster);
}, 30 * 60_000);

test('a second lab uses the cluster that it is named, keeps to it, and leaves it running', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lab-'));
  const lab = (...args: string[]) => {
    const env = { ...process.env, XDG_CACHE_HOME: folder };
    const program = join(import.meta.dirname, 'cli.ts');
    return spawnSync(process.execPath, [program, ...args], { env, encoding: 'utf8' });
  };
  // Where the first lab runs a real node, this is how its kubelet is spoken to.
  const kubelet = '/var/lib/kubelet/device-plugins/kubelet.sock';
  const isNode = existsSync(kubelet);
  try {
    const words = `cluster: up on ${endpoint}, the cluster of ${kubeconfig}\n`;
    expect(lab('up', 'cluster', '--kubeconfig', kubeconfig).stdout).toContain(words);
    expect(lab('up', 'cluster').stdout).toContain(words);
    const refused = lab('up', 'aws');
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain('asks no AWS of the lab who a token is from');
    expect(lab('down').stdout).toContain('cluster: down\n');
    expect(await readdir(join(folder, 'delivery-actions', 'run')).catch(() => 'gone')).toBe('gone');
    const { server } = await readKubeconfig(kubeconfig);
    const call = { method: 'GET', path: '/readyz', idempotent: true } as const;
    expect(await openTransport(server).send(call)).toBe('ok');
    expect(existsSync(kubelet)).toBe(isNode);
  } finally {
    lab('down');
    await rm(folder, { recursive: true });
  }
}, 120_000);
