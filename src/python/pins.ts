/**
 * The uv that is brought where the runner has none, and the SHA-256 of its wheels for each platform. A tool that is there
 * already is used from its `oldest` version on, which knows all options that are used here.
 */
export const UV = {
  version: '0.13.9',
  oldest: '0.8.0',
  sha256: [
    // Linux: x86_64, aarch64 (both of glibc, then musl and old glibc), armv7
    'd7f459fe4fd247d830351c75686d3996ace3c6f3f728eb0e85a30b7ada0cef19',
    '2c45530751517d6c3bbc69a19473f6effe47cce047bede01ffd8af7ea7b36b25',
    'ecb6028d79dc96fbeafffe5c8af62a7099487ebc05a701e76714eebcffd06375',
    '5435c5ce14a56431208ca0996416d310f1598e8c2c8ba707688985a16bb82dbe',
    '16963d19594e18d746a70c7fce82237bde4f2cac4cfcf0ca2b84796fe9d0c6e9',
    // macOS: arm64, x86_64
    '66c512266d633bef48384a1f53003f41f2a8e7b36fe6e7fbfd3e0fd52d96fa63',
    'c16ed11e013557536b3e60065f1b912f6407bd6518e041b961e23ef9e6b4fbf5',
  ],
} as const;

/** A tool that uv brings in an environment of its own. */
export interface Pin {
  /** The version that is brought. */
  readonly version: string;
  /** The oldest version on PATH that is used instead, as it knows all options that are used here. */
  readonly oldest: string;
  /** What its dependencies are held to, where a newer one breaks it. */
  readonly with?: readonly string[];
}

const PINS = {
  poetry: { version: '2.5.1', oldest: '2.0.0' },
  pdm: { version: '2.29.4', oldest: '2.20.0', with: ['hishel<2'] },
  pipenv: { version: '2026.10.3', oldest: '2024.0.0' },
  hatch: { version: '1.18.2', oldest: '1.12.0' },
  tox: { version: '4.67.15', oldest: '4.0.0' },
  nox: { version: '2026.10.20', oldest: '2024.4.15' },
  twine: { version: '7.0.0', oldest: '6.1.0' },
} as const satisfies Readonly<Record<string, Pin>>;

/** The name of a tool that uv brings. */
export type ToolName = keyof typeof PINS;

/** All of them. */
export const TOOLS: Readonly<Record<ToolName, Pin>> = PINS;
