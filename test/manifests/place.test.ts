import { expect, test } from '@jest/globals';
import { parseManifest } from '../../src/manifests/parse.ts';
import { placeOf } from '../../src/manifests/place.ts';

const SOURCE = `apiVersion: v1
kind: ConfigMap
metadata: {name: first}
data: {dsn: x}
---
apiVersion: v1
kind: Pod
metadata: {name: second}
# reads dsn
spec:
  containers:
    - {name: dsn-reader, image: 'r.example/shop/api:1'}
    - {name: b, env: [{valueFrom: {secretKeyRef: {name: db, key: "dsn"}}}]}
---
kind: dsn
`;
const [, pod] = parseManifest(`${SOURCE.split('---\nkind')[0]}`, 'k8s/a.yaml').documents;

test.each([
  [['dsn', 'db'], 13],
  [['absent', 'dsn-reader'], 12],
  [['', 'r.example/shop/api:1'], 12],
  [['absent'], 6],
])('%j is found on line %i of its own document, and not in a comment', (words, line) => {
  if (!pod) throw new Error('no pod');
  expect(placeOf(pod, SOURCE, words)).toEqual({ file: 'k8s/a.yaml', line });
});
