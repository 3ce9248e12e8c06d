import { WaveMachine, type WaveMachineOptions, type WavePinClient } from '../test-wave-client.ts';
import { type PciMiniport, PciScript, type PciStream, pciDriver } from './test-card.ts';

export type PciPinClient = WavePinClient<PciStream>;

/** A machine with one WavePci card and one application that speaks to it in KS requests. */
export class PciMachine extends WaveMachine<PciStream, PciMiniport> {
  readonly script: PciScript;

  constructor(script = new PciScript(), options: WaveMachineOptions = {}) {
    super((platform) => pciDriver(script, platform), options);
    this.script = script;
  }
}
