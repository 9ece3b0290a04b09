import { describe, expect, test } from '@jest/globals';
import { explainBuild } from '../../src/container/build-error.ts';
import { resolveDigest } from '../../src/container/registry.ts';
import { serving } from '../aws/server.ts';

const action = 'ecr:BatchGetImage';

describe('a registry that refuses', () => {
  test('is asked again for its reason, as an answer to HEAD has none', async () => {
    const body = JSON.stringify({ errors: [{ code: 'DENIED', message: `not authorized to perform: ${action}` }] });
    await serving([{ status: 403, body }], async (url, asked) => {
      const host = {
        clock: { now: () => 0, sleep: async () => undefined },
        signal: new AbortController().signal,
      };
      const reference = { registry: new URL(url).host, repository: 'shop', tag: 'v1' };
      await expect(resolveDigest(reference, {}, host)).rejects.toMatchObject({
        message: expect.stringMatching(/shop:v1 cannot be read: .* answers 403 \(.*\): DENIED: .*ecr:BatchGetImage/),
        remedy: `Add the IAM action ${action} to the policy of the role.`,
      });
      expect(asked.map(({ method }) => method)).toEqual(['HEAD', 'GET']);
    });
  });

  // What docker prints when HEAD of a layer is denied.
  test('to say whether a layer is there is told from a Dockerfile that does not build', () => {
    const told = 'error parsing HTTP 403 response body: unexpected end of JSON input: ""';
    const output = `#6 exporting to image\n#6 ERROR: ${told}\nERROR: failed to build: failed to solve: ${told}\n`;
    const error = explainBuild(output, { tags: ['r.example/shop:v1'], platforms: [] }, 'FROM scratch\n');
    expect(error.message).toContain('The registry r.example refuses the image: it does not allow it');
    expect(error.remedy).toContain('ecr:BatchCheckLayerAvailability');
  });
});
