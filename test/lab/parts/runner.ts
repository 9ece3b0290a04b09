import { dirname } from 'node:path';
import { findBinary, missingForBinaries } from '../binaries.ts';
import type { Part } from '../part.ts';

/** A workflow runner: act in host mode, with the Node 24 that runs this lab first on PATH. It runs only while a workflow does. */
export const runner: Part<'runner'> = {
  name: 'runner',
  needs: [],
  missing: async ({ cache }) => missingForBinaries(['act'], cache),
  async up(context) {
    return {
      act: await findBinary('act', context.cache, { progress: context.progress }),
      nodeBin: dirname(process.execPath),
    };
  },
  down: async () => undefined,
  status: async ({ facts }) => (facts.runner === undefined ? 'down' : `up, by ${facts.runner.act}`),
};
