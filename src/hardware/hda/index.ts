export {
  HdaCard,
  type HdaCardOptions,
  type HdaCodecOptions,
  type HdaPosition,
  type HdaRegisterValue,
} from './card.ts';
export type { HdaJack } from './codec.ts';
export { HdaCodec } from './codec.ts';
export {
  DESKTOP_CODEC,
  findHdaCodec,
  HDA_CODECS,
  HDMI_CODEC,
  type HdaCodecName,
  QEMU_DUPLEX_CODEC,
  QEMU_MICRO_CODEC,
  QEMU_OUTPUT_CODEC,
} from './codecs/index.ts';
export {
  decodePinConfig,
  encodePinConfig,
  type HdaAmpDefinition,
  type HdaCodecDefinition,
  type HdaPcmDefinition,
  type HdaPinConfig,
  type HdaPinDefinition,
  type HdaWidgetDefinition,
  type HdaWidgetKind,
} from './definition.ts';
export {
  describeWidgets,
  formatWidgets,
  type HdaAmpView,
  type HdaCodecView,
  type HdaConnectionView,
  type HdaWidgetView,
} from './describe.ts';
export { DEFAULT_DISPLAY, type HdaDisplay, makeEld } from './eld.ts';
export { decodeHdaFormat, describeHdaFormat, encodeHdaFormat, type HdaFormat } from './format.ts';
export { type HdaOutput, type HdaPanelJack, hdaInput, hdaOutputs, hdaPanel } from './jack-panel.ts';
export { HdaJackSet } from './jack-set.ts';
export { describeHdaValue, hdaRegisterName } from './register-window.ts';
export { HDA_REGISTERS, type HdaRegisterDescription } from './registers.ts';
export {
  decodeHdaCommand,
  describeHdaPayload,
  encodeHdaCommand,
  HDA_VERBS,
  type HdaCommand,
  type HdaVerbDescription,
  hdaVerbName,
} from './verbs.ts';
