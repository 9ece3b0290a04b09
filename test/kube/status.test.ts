import { expect, test } from '@jest/globals';
import { statusError } from '../../src/kube/status.ts';

/** Sentences of a real API server, of 1.36 unless said. */
const SENTENCES = [
  'failed to create typed patch object (n/s; /v1, Kind=Secret): .stringData.password: expected string, got &value.valueUnstructured{Value:98765}',
  'failed to create typed patch object (n/s; /v1, Kind=Secret): .stringData: expected map, got &{[98765]}',
  'failed to create typed patch object (n/s; /v1, Kind=Secret): errors:\n  .data.a: expected string, got &value.valueUnstructured{Value:98765}\n  .data.b: expected string, got &value.valueUnstructured{Value:98765}',
  'Job.batch "j" is invalid: spec.template: Invalid value: {"Env":[{"Name":"P","Value":"{a}: \\"98765"}]}: field is immutable',
  'Job.batch "j" is invalid: spec.template: Invalid value: core.PodTemplateSpec{Env:[]core.EnvVar{core.EnvVar{Name:"P", Value:"98765"}}}: field is immutable (1.30)',
  'x is invalid: [spec.a: Invalid value: {"a":"98765"}: field is immutable, spec.b: Invalid value: ["98765"]: may not change once set]',
];

test.each(SENTENCES)('what the server quotes of an object is not told: %s', (message) => {
  const details = { causes: [{ field: 'f', message }] };
  const error = statusError(422, {}, JSON.stringify({ kind: 'Status', message, details }));
  expect(JSON.stringify([error.message, error.causes])).not.toContain('98765');
  for (const kept of ['expected', 'got', 'immutable', '.data.b', 'spec.b', 'once set'])
    expect(error.message.includes(kept)).toBe(message.includes(kept));
});

test('a word that the server finds wrong is told', () => {
  const message = 'Pod "a" is invalid: spec.containers[0].ports[0].name: Invalid value: "Web": must be lower case';
  expect(statusError(422, {}, JSON.stringify({ kind: 'Status', message })).message).toBe(message);
});
