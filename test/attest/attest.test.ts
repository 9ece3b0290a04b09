import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { Cancelled, UserError } from '../../src/action/errors.ts';
import type { Host } from '../../src/action/host.ts';
import { workflowLog } from '../../src/action/log.ts';
import { type Wanted, attestImage } from '../../src/attest/attest.ts';
import { type Answer, serving } from '../aws/server.ts';

const digest = `sha256:${createHash('sha256').update('{}').digest('hex')}`;
const claims = Object.fromEntries(
  `sub ref sha repository event_name job_workflow_ref workflow_ref repository_id repository_owner_id runner_environment
  run_id run_attempt`
    .split(/\s+/)
    .map((name) => [name, name]),
);
const token = `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`;

/** Attests against a server of these answers, which stands for the registry and for Fulcio. */
async function attested(answers: readonly Answer[], more: Partial<Wanted>, host: Partial<Host> = {}) {
  const lines: string[] = [];
  let result: unknown;
  await serving([...answers], async (url) => {
    const wanted: Wanted = {
      image: { registry: url.replace('http://', ''), repository: 'a/b', digest },
      auths: {},
      attest: 'auto',
      reused: false,
      sign: false,
      token: 't',
      predicates: [],
      ...more,
    };
    const own = {
      env: { ACTIONS_ID_TOKEN_REQUEST_URL: 'x', FULCIO_URL: url },
      info: { eventName: 'push', serverUrl: 'https://github.com', apiUrl: url, repository: 'a/b' },
      log: workflowLog((line) => void lines.push(line)),
      clock: { now: () => 0, sleep: async () => undefined },
      signal: new AbortController().signal,
      mask: () => undefined,
      idToken: async () => token,
      ...host,
    } as unknown as Host;
    result = await attestImage(wanted, own).catch((error: unknown) => error);
  });
  return { result, lines };
}

describe('an image that nobody demands to be attested', () => {
  test.each([
    ['GitHub gives no identity token', [], { idToken: async () => Promise.reject(new Error('Error message: 503')) }],
    [
      'the certificate is none',
      [{ status: 200, body: '{"a":{"chain":{"certificates":["-----BEGIN CERTIFICATE-----\\nAA"]}}}' }],
      {},
    ],
  ] as const)('stands, with a warning, where %s', async (_, answers, host) => {
    const { result, lines } = await attested(answers, {}, host);
    expect(result).toMatchObject({ signed: [], skipped: expect.stringContaining('not attested') });
    expect(lines.join('\n')).toContain('::warning');
    const strict = (await attested(answers, { attest: 'true' }, host)).result;
    expect(strict).toBeInstanceOf(Error);
  });

  test('does not outlast a cancelled job', async () => {
    const cancel = new AbortController();
    cancel.abort(new Cancelled('SIGINT'));
    const idToken = async () => Promise.reject(new Cancelled('SIGINT'));
    expect((await attested([], {}, { signal: cancel.signal, idToken })).result).toBeInstanceOf(Cancelled);
  });
});

describe('an image of an earlier run, where attestations are demanded', () => {
  const list = (...types: readonly string[]): Answer => ({
    status: 200,
    headers: { 'content-type': 'application/vnd.oci.image.index.v1+json' },
    body: JSON.stringify({
      manifests: types.map((type) => ({
        mediaType: 'm',
        digest,
        size: 2,
        artifactType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
        annotations: { 'dev.sigstore.bundle.predicateType': type },
      })),
    }),
  });

  test('is refused where that run did not attest it, with the way out', async () => {
    const { result } = await attested([list('https://cyclonedx.org/bom')], { attest: 'true', reused: true });
    expect(result).toBeInstanceOf(UserError);
    expect(result).toMatchObject({ remedy: expect.stringContaining('cache to false') });
  });

  test('stands where it did', async () => {
    const { result } = await attested([list('https://slsa.dev/provenance/v1')], { attest: 'true', reused: true });
    expect(result).toMatchObject({ signed: [], skipped: expect.stringContaining('earlier run') });
  });
});
