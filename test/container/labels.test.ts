import { expect, test } from '@jest/globals';
import { imageLabels } from '../../src/container/labels.ts';

const info = { serverUrl: 'https://github.com', repository: 'team/api', sha: 'abc' };

test('labels of the commit stand apart from those that stay', () => {
  expect(imageLabels(info, { title: 'api', version: '1.2.0', license: 'MIT', commitTime: 1_700_000_000 })).toEqual({
    steady: {
      'org.opencontainers.image.title': 'api',
      'org.opencontainers.image.licenses': 'MIT',
      'org.opencontainers.image.source': 'https://github.com/team/api',
      'org.opencontainers.image.url': 'https://github.com/team/api',
    },
    ofCommit: {
      'org.opencontainers.image.revision': 'abc',
      'org.opencontainers.image.version': '1.2.0',
      'org.opencontainers.image.created': '2023-11-14T22:13:20Z',
    },
  });
});

test('what is unknown is left out', () => {
  expect(imageLabels({ serverUrl: 'https://github.com', repository: '', sha: '' })).toEqual({
    steady: {},
    ofCommit: {},
  });
});
