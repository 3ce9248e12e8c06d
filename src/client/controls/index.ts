export type { ControlKind, ControlProperty } from './control-kinds.ts';
export { type Control, type ControlChoice, Controls } from './controls.ts';
