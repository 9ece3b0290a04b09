import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { cycloneDx } from '../../src/sbom/cyclonedx.ts';
import { spdx } from '../../src/sbom/spdx.ts';
import { packages, subject } from './documents.ts';

const schemas = createRequire(import.meta.url).resolve('@cyclonedx/cyclonedx-library/package.json');

function schema(name: string): object {
  return JSON.parse(
    readFileSync(new URL(`res/schema/${name}.SNAPSHOT.schema.json`, `file://${schemas}`), 'utf8'),
  ) as object;
}

/** The standard's own schema, as its library carries it. */
function valid(document: object): string | undefined {
  const ajv = new Ajv({ strict: false, allErrors: true });
  addFormats.default(ajv);
  for (const name of ['spdx', 'jsf-0.82'])
    ajv.addSchema(schema(name), `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`);
  // Formats for names of other languages, which no URL of these documents has.
  for (const format of ['iri-reference', 'idn-email']) ajv.addFormat(format, true);
  const check = ajv.compile(schema('bom-1.6'));
  return check(document) ? undefined : ajv.errorsText(check.errors);
}

test('the CycloneDX document is what its standard wants, and the check would find what is not', () => {
  const document = cycloneDx(subject, packages) as { components: object[] };
  expect(valid(document)).toBeUndefined();
  expect(valid({ ...document, serialNumber: 'urn:uuid:7' })).toContain('serialNumber');
  expect(document.components).toMatchObject([
    { group: '@acme', name: 'log', scope: 'required', licenses: [{ license: { name: 'SEE LICENSE IN terms.txt' } }] },
    { name: 'express', hashes: [{ alg: 'SHA-512' }], licenses: [{ expression: '(MIT OR Apache-2.0)' }] },
    { name: 'mocha', scope: 'excluded' },
    { name: 'wheels' },
  ]);
  expect(document.components[3]).not.toHaveProperty('hashes');
});

test('the same commit and packages give the same bytes, others another id', () => {
  for (const make of [cycloneDx, spdx]) {
    expect(JSON.stringify(make(subject, packages))).toBe(
      JSON.stringify(make({ ...subject }, structuredClone(packages))),
    );
  }
  const one = cycloneDx(subject, packages) as { serialNumber: string };
  const other = cycloneDx({ ...subject, commitTime: 1 }, packages) as { serialNumber: string };
  expect(one.serialNumber).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(other.serialNumber).not.toBe(one.serialNumber);
});
