export * from './ac97-codec.ts';
export { ac97RegisterName, describeAc97Value } from './ac97-describe.ts';
export { Ac97Input } from './ac97-input.ts';
export type { Ac97Jacks, ExternalAmplifier } from './ac97-jacks.ts';
export { Ac97Output } from './ac97-output.ts';
export * from './ac97-registers.ts';
export { MixTap } from './mix-tap.ts';
