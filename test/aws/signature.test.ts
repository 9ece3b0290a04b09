import { describe, expect, test } from '@jest/globals';
import { sha256, signedHeaders, uriEncoded } from '../../src/aws/signature.ts';

/** The key and the requests of AWS's own examples in "Signature Calculations for the Authorization Header". */
const keys = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' };
const common = {
  host: 'examplebucket.s3.amazonaws.com',
  query: {},
  headers: {},
  payload: sha256(''),
  service: 's3',
  region: 'us-east-1',
  now: Date.UTC(2013, 4, 24),
};

describe("AWS's examples of Signature Version 4", () => {
  test.each([
    [
      'GET of an object',
      { method: 'GET', path: '/test.txt', headers: { range: 'bytes=0-9' } },
      'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    ],
    [
      'PUT of an object whose name is encoded',
      {
        method: 'PUT',
        path: `/${uriEncoded('test$file.text')}`,
        headers: { date: 'Fri, 24 May 2013 00:00:00 GMT', 'x-amz-storage-class': 'REDUCED_REDUNDANCY' },
        payload: sha256('Welcome to Amazon S3.'),
      },
      '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
    ],
    [
      'GET with a parameter that has no value',
      { method: 'GET', path: '/', query: { lifecycle: '' } },
      'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
    ],
    [
      'a list',
      { method: 'GET', path: '/', query: { prefix: 'J', 'max-keys': '2' } },
      '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
    ],
  ])('%s', (_, request, signature) => {
    const { authorization } = signedHeaders({ ...common, ...request }, keys);
    expect(authorization).toMatch(new RegExp(`Signature=${signature}$`));
  });
});

test('keys are encoded as AWS does, signs and umlauts too', () => {
  expect(uriEncoded("Straße (1)!*'&+.~_-")).toBe('Stra%C3%9Fe%20%281%29%21%2A%27%26%2B.~_-');
});
