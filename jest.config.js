// Node 24 runs TypeScript by itself, so nothing is transformed: what is tested is what stands in the file.
const common = {
  rootDir: import.meta.dirname,
  testEnvironment: 'node',
  transform: {},
  extensionsToTreatAsEsm: ['.ts'],
  moduleFileExtensions: ['ts', 'js', 'mjs', 'json'],
  modulePathIgnorePatterns: ['<rootDir>/dist', '<rootDir>/build', '<rootDir>/examples'],
};

export default {
  projects: [
    {
      ...common,
      displayName: 'unit',
      testMatch: ['<rootDir>/test/**/*.test.ts'],
      testPathIgnorePatterns: ['\\.lab\\.test\\.ts$', '/node_modules/'],
    },
    { ...common, displayName: 'lab', testMatch: ['<rootDir>/test/**/*.lab.test.ts'] },
  ],
};
