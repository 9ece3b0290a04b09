import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Host } from '../../src/action/host.ts';
import { workflowLog } from '../../src/action/log.ts';
import { systemClock } from '../../src/action/main.ts';
import { type Wanted, attestImage } from '../../src/attest/attest.ts';
import { referrers } from '../../src/container/referrers.ts';
import { controlOf } from '../lab/control.ts';
import { openLab } from '../lab/lab.ts';
import type { LabFacts } from '../lab/part.ts';
import { type Sigstore, sigstore } from './sigstore.ts';

const repository = 'attest/shop';
const claims = {
  sha: 'c0ffee',
  workflow_ref: 'acme/shop/.github/workflows/deliver.yml@refs/heads/main',
  job_workflow_ref: 'logicore/delivery-actions/.github/workflows/build-node.yml@refs/tags/v1',
  run_id: '42',
  run_attempt: '2',
};

let lab: LabFacts;
let services: Sigstore;
let digest = '';
beforeAll(async () => {
  [lab, services] = [await openLab('registry', 'github'), await sigstore()];
  const base = `http://${lab.registry?.host}/v2/${repository}`;
  const empty = `sha256:${createHash('sha256').update('{}').digest('hex')}`;
  const begun = await fetch(`${base}/blobs/uploads/`, { method: 'POST' });
  const target = new URL(begun.headers.get('location') ?? '', base);
  target.searchParams.set('digest', empty);
  await fetch(target, { method: 'PUT', body: '{}' });
  const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: empty, size: 2 };
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType,
    config,
    layers: [],
    annotations: { at: String(Date.now()) },
  });
  await fetch(`${base}/manifests/1`, { method: 'PUT', headers: { 'content-type': mediaType }, body: manifest });
  digest = `sha256:${createHash('sha256').update(manifest).digest('hex')}`;
}, 120_000);
afterAll(async () => services.close());

const github = () => controlOf(lab.github?.control ?? '');
beforeEach(async () => {
  await github().set('claims', { ...claims, repository_visibility: 'public' });
  await github().faults();
});

const lines: string[] = [];
function hostOf(eventName = 'push', env: Record<string, string> = {}): Host {
  const { apiUrl = '', idTokenUrl = '', idTokenRequestToken = '' } = lab.github ?? {};
  const info = { eventName, apiUrl, repository: 'acme/shop', serverUrl: 'https://github.com' };
  return {
    env: { ACTIONS_ID_TOKEN_REQUEST_URL: idTokenUrl, ...services.env, ...env },
    info: info as Host['info'],
    log: workflowLog((line) => void lines.push(line)),
    clock: systemClock,
    signal: new AbortController().signal,
    mask: () => undefined,
    async idToken(audience: string) {
      const headers = { authorization: `Bearer ${idTokenRequestToken}` };
      const answer = await fetch(`${idTokenUrl}&audience=${audience}`, { headers });
      return ((await answer.json()) as { value: string }).value;
    },
  } as unknown as Host;
}

async function attested(more: Partial<Wanted> = {}, host = hostOf()) {
  const image = { registry: lab.registry?.host ?? '', repository, digest };
  const wanted: Wanted = {
    image,
    auths: {},
    attest: 'true',
    reused: false,
    sign: false,
    token: lab.github?.token ?? '',
    predicates: [],
    ...more,
  };
  const result = await attestImage(wanted, host);
  const list = await referrers(image, {}, host, 'application/vnd.dev.sigstore.bundle.v0.3+json');
  const bundles = await Promise.all(
    list.map(async (one) => {
      const read = async (path: string) => {
        const headers = { accept: 'application/vnd.oci.image.manifest.v1+json' };
        return (await (await fetch(`http://${image.registry}/v2/${repository}/${path}`, { headers })).json()) as {
          layers: { digest: string }[];
        };
      };
      const { layers } = await read(`manifests/${one.digest}`);
      return {
        type: one.annotations?.['dev.sigstore.bundle.predicateType'],
        bundle: await read(`blobs/${layers[0]?.digest}`),
      };
    }),
  );
  return { result, of: (type: string) => bundles.findLast((one) => one.type === type)?.bundle };
}

const PROVENANCE = 'https://slsa.dev/provenance/v1';

describe('an attested image', () => {
  test('has a provenance that Sigstore verifies, kept by GitHub and in the registry', async () => {
    const { result, of } = await attested({
      predicates: [{ type: 'https://cyclonedx.org/bom', content: { a: 1 } }],
      sign: true,
    });
    expect(result.signed).toEqual([PROVENANCE, 'https://cyclonedx.org/bom', 'https://sigstore.dev/cosign/sign/v1']);
    expect(result.page).toMatch(/^https:\/\/github\.com\/acme\/shop\/attestations\/\d+$/);
    const { identity, statement } = services.verify(of(PROVENANCE), 'log');
    expect(identity).toBe('repo:acme/shop:environment:production');
    expect(statement).toMatchObject({
      subject: [{ name: `${lab.registry?.host}/${repository}`, digest: { sha256: digest.slice('sha256:'.length) } }],
      predicate: {
        buildDefinition: {
          externalParameters: { workflow: { path: '.github/workflows/deliver.yml', ref: 'refs/heads/main' } },
          resolvedDependencies: [
            { uri: 'git+https://github.com/acme/shop@refs/heads/main', digest: { gitCommit: 'c0ffee' } },
          ],
        },
        runDetails: {
          builder: { id: `https://github.com/${claims.job_workflow_ref}` },
          metadata: { invocationId: 'https://github.com/acme/shop/actions/runs/42/attempts/2' },
        },
      },
    });
    expect(services.verify(of('https://sigstore.dev/cosign/sign/v1'), 'log').statement.predicate).toEqual({});
    expect(services.verify(of('https://cyclonedx.org/bom'), 'log').statement.predicate).toEqual({ a: 1 });
    // One changed byte of what was signed is found.
    const changed = structuredClone(of(PROVENANCE)) as unknown as { dsseEnvelope: { payload: string } };
    const payload = Buffer.from(changed.dsseEnvelope.payload, 'base64').toString();
    changed.dsseEnvelope.payload = Buffer.from(payload.replace('c0ffee', 'c0ffff')).toString('base64');
    expect(() => services.verify(changed, 'log')).toThrow('hash mismatch');
  });

  test('of a private repository is told to no public log: a time stamp stands in its place', async () => {
    await github().set('claims', { ...claims, repository_visibility: 'private' });
    const before = services.asked.length;
    const { of } = await attested();
    expect(services.asked.slice(before)).toEqual(['/api/v2/signingCert', '/api/v1/timestamp']);
    expect(services.verify(of(PROVENANCE), 'stamp').statement.predicateType).toBe(PROVENANCE);
    expect(() => services.verify(of(PROVENANCE), 'log')).toThrow('tlog');
  });

  test('is asked for in vain where the job lacks the right: `auto` says so, `true` fails with what to do', async () => {
    const noToken = hostOf('push', { ACTIONS_ID_TOKEN_REQUEST_URL: '' });
    expect((await attested({ attest: 'auto' }, noToken)).result.skipped).toContain('id-token: write');
    await expect(attested({}, noToken)).rejects.toMatchObject({
      remedy: expect.stringContaining('attestations: write'),
    });
    expect((await attested({ attest: 'auto', token: 'guess' })).result.skipped).toContain('answers 401');
    expect((await attested({}, hostOf('pull_request'))).result.skipped).toContain('pull request');
    expect((await attested({ attest: 'false' })).result).toEqual({ signed: [] });
  });

  test('waits out a passing fault, and a lasting one is told', async () => {
    await github().faults({ kind: 'server-error', on: 'attestations', times: 2 });
    expect((await attested()).result.signed).toEqual([PROVENANCE]);
    services.fail('/api/v2/signingCert', 400);
    await expect(attested()).rejects.toThrow('answers 400: the stand-in refuses');
    expect((await attested({ attest: 'auto' })).result.skipped).toContain('answers 400');
  });
});
