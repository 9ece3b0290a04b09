import { availableParallelism } from 'node:os';

// Node 24 runs TypeScript by itself, so nothing is transformed: what is tested is what stands in the file.
const common = {
  rootDir: import.meta.dirname,
  testEnvironment: 'node',
  transform: {},
  extensionsToTreatAsEsm: ['.ts'],
  moduleFileExtensions: ['ts', 'js', 'mjs', 'json'],
  modulePathIgnorePatterns: ['<rootDir>/dist', '<rootDir>/examples'],
};

export default {
  // Programs are started by many tests, and a loaded machine takes its time.
  testTimeout: 20_000,
  // Tests wait for programs and servers more than they compute; on 2 cores jest itself would run one file at a time.
  maxWorkers: Math.max(4, availableParallelism() - 1),
  projects: [
    {
      ...common,
      displayName: 'unit',
      testMatch: ['<rootDir>/test/**/*.test.ts'],
      testPathIgnorePatterns: ['\\.(lab|builds|tools)\\.test\\.ts$', '/node_modules/'],
    },
    // With real tools and servers of their own, which need no part of the lab and so run side by side.
    { ...common, displayName: 'tools', testMatch: ['<rootDir>/test/**/*.tools.test.ts'] },
    // With the lab's registry and image builds alone, and no stand-in that another file may have set to something.
    { ...common, displayName: 'builds', testMatch: ['<rootDir>/test/**/*.builds.test.ts'] },
    { ...common, displayName: 'lab', testMatch: ['<rootDir>/test/**/*.lab.test.ts'] },
  ],
};
