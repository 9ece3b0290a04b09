import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { LabContext, LabFacts, Part } from '../part.ts';
import { freePort } from '../ports.ts';
import { isRunning, start, stop } from '../process.ts';
import { findPythonProgram, hasPython } from '../python.ts';
import { accountId } from './aws-call.ts';
import { redirectPulls } from './cluster/container-runtime.ts';
import type { AwsSettings } from './aws-server.ts';
import { isNamed } from './named-cluster.ts';

const region = 'eu-central-1';
const roleArn = `arn:aws:iam::${accountId}:role/deploy`;

/**
 * AWS on loopback: moto behind a proxy that leads EKS and ECR to the lab's cluster and registry, keeps IAM policies,
 * believes the OIDC tokens of the lab's GitHub alone, and reviews the cluster's tokens as EKS does.
 */
export const aws: Part<'aws'> = {
  name: 'aws',
  needs: ['cluster', 'registry', 'github'],
  missing: async () =>
    (await hasPython()) ? [] : [{ what: 'Python with venv, which runs moto', packages: ['python3-venv'] }],
  async up(context) {
    const { facts, state } = context;
    if (facts.cluster !== undefined && isNamed(facts.cluster)) {
      throw new Error(`The cluster of ${facts.cluster.kubeconfig} asks no AWS of the lab who a token is from`);
    }
    const known = facts.aws;
    const running = (await isRunning(state, 'aws')) && (await isRunning(state, 'moto'));
    const place = placeOf(facts);
    // Parts that came up anew have other addresses.
    if (known && running && (await readFile(join(state, 'place'), 'utf8').catch(() => '')) === place) return known;
    await clear(context);
    await mkdir(state, { recursive: true });
    const moto = await startMoto(context);
    const settings = await settingsOf(facts, moto);
    const file = join(state, 'settings.json');
    await writeFile(file, JSON.stringify(settings));
    const server = fileURLToPath(new URL('aws-server.ts', import.meta.url));
    await start(state, 'aws', process.execPath, [server, file]);
    const endpoint = `http://127.0.0.1:${settings.port}`;
    await serving(`${endpoint}/_lab/requests`, context, 'aws');
    const ecrHost = `127.0.0.1:${settings.ecrPort}`;
    await teachNodes(facts, ecrHost);
    await writeFile(join(state, 'place'), place);
    context.progress(`serves on ${endpoint}`);
    return { endpoint, region, accountId, roleArn, ecrHost, control: endpoint };
  },
  down: clear,
  status: async ({ facts, state }) =>
    (await isRunning(state, 'aws')) ? `up on ${facts.aws?.endpoint ?? 'an unknown port'}` : 'down',
};

async function clear({ facts, state }: LabContext): Promise<void> {
  await stop(state, 'aws');
  await stop(state, 'moto');
  const folder = facts.aws && hostsFolder(facts, facts.aws.ecrHost);
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  await rm(state, { recursive: true, force: true });
}

async function startMoto(context: LabContext): Promise<string> {
  context.progress('finds or installs moto');
  const program = await findPythonProgram('moto', context.cache);
  const port = await freePort();
  await start(context.state, 'moto', program, ['-H', '127.0.0.1', '-p', String(port)]);
  await serving(`http://127.0.0.1:${port}/moto-api/`, context, 'moto');
  return `http://127.0.0.1:${port}`;
}

async function settingsOf({ cluster, registry, github }: LabFacts, moto: string): Promise<AwsSettings> {
  if (!cluster || !registry || !github) throw new Error('The lab has no cluster, registry or GitHub to lead to');
  return {
    port: await freePort(),
    ecrPort: await freePort(),
    webhookPort: cluster.webhookPort ?? 0,
    moto,
    registry: registry.host,
    jwks: `${github.control}/.well-known/jwks`,
    region,
    cluster: { name: cluster.name, endpoint: cluster.endpoint, caFile: cluster.caFile },
    roleArn,
  };
}

function placeOf({ cluster, registry, github }: LabFacts): string {
  return JSON.stringify([cluster?.endpoint, cluster?.adminToken, registry?.host, github?.control]);
}

/** Nodes pull what ECR names without a password, as EKS's kubelet brings its own. */
async function teachNodes(facts: LabFacts, ecrHost: string): Promise<void> {
  const { registryHosts, registryMirror } = facts.cluster ?? {};
  if (registryHosts !== undefined) await redirectPulls(registryHosts, ecrHost, registryMirror ?? '');
}

function hostsFolder({ cluster }: LabFacts, ecrHost: string): string | undefined {
  return cluster?.registryHosts === undefined ? undefined : join(cluster.registryHosts, ecrHost);
}

async function serving(address: string, { state }: LabContext, name: string): Promise<void> {
  for (let tries = 0; tries < 300; tries += 1) {
    const answer = await fetch(address, { signal: AbortSignal.timeout(2000) }).catch(() => undefined);
    if (answer?.ok === true) return;
    if (!(await isRunning(state, name))) break;
    await sleep(200);
  }
  const log = await readFile(join(state, `${name}.log`), 'utf8').catch(() => '');
  throw new Error(`${name} does not serve; the end of its log:\n${log.slice(-2000)}`);
}
