import { randomBytes } from 'node:crypto';
import { afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { systemClock } from '../../src/action/main.ts';
import { referrers } from '../../src/container/referrers.ts';
import { type Sigstore, sigstore } from '../attest/sigstore.ts';
import { Workspace, project } from '../build-node/workspace.ts';
import { controlOf } from '../lab/control.ts';
import { openLab } from '../lab/lab.ts';
import { describeWith } from '../lab/needs.ts';

const describe = await describeWith('images');
const host = { clock: systemClock, signal: new AbortController().signal };
let shop: Workspace;
let services: Sigstore;
beforeAll(async () => {
  await openLab('images', 'registry', 'github');
}, 20 * 60_000);
beforeEach(async () => {
  [shop, services] = [new Workspace(), await sigstore()];
});
afterEach(async () => {
  shop.remove();
  await services.close();
});

describe('a delivered image', () => {
  test('has its SBOM, provenance and signature beside it; used again it gets no second provenance', async () => {
    const { images, registry, github } = await openLab('images', 'registry', 'github');
    await controlOf(github?.control ?? '').set('claims', {
      sha: 'c0ffee',
      workflow_ref: 'acme/shop/.github/workflows/deliver.yml@refs/heads/main',
      job_workflow_ref: 'acme/shop/.github/workflows/deliver.yml@refs/heads/main',
      run_id: '1',
      run_attempt: '1',
      repository_visibility: 'public',
    });
    shop.write({ ...project({ start: 'node server.js' }), 'server.js': '' });
    const repository = `supply-${randomBytes(4).toString('hex')}`;
    const inputs = {
      image: repository,
      registry: registry?.host ?? '',
      attest: 'true',
      'github-token': github?.token ?? '',
    };
    const env = {
      DOCKER_HOST: images?.dockerHost,
      DOCKER_CONFIG: images?.dockerConfig,
      GITHUB_API_URL: github?.apiUrl,
      GITHUB_EVENT_NAME: 'push',
      ACTIONS_ID_TOKEN_REQUEST_URL: github?.idTokenUrl,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: github?.idTokenRequestToken,
      ...services.env,
    };
    const first = await shop.start({ ...inputs, sign: 'true' }, env).ended;
    expect(first.log).not.toContain('::error');
    expect(first.summary).toMatch(/\| SBOM \| 0 packages, beside the image \|/);
    expect(first.summary).toMatch(/\| attested \| provenance, SBOM, signature \(\[on GitHub\]/);
    const image = { registry: registry?.host ?? '', repository, digest: first.outputs['digest'] ?? '' };
    const list = async () =>
      (await referrers(image, {}, host)).map(
        (one) => one.annotations?.['dev.sigstore.bundle.predicateType'] ?? one.artifactType,
      );
    const all = [
      'application/vnd.cyclonedx+json',
      'application/spdx+json',
      'https://slsa.dev/provenance/v1',
      'https://cyclonedx.org/bom',
      'https://sigstore.dev/cosign/sign/v1',
    ];
    expect(await list()).toEqual(all);

    const again = await shop.start(inputs, env).ended;
    expect(again.outputs).toMatchObject({ digest: image.digest, reused: 'true' });
    expect(again.summary).toContain('which alone can attest how it was built');
    expect(await list()).toEqual(all);
  }, 300_000);
});
