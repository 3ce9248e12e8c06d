import { WaveMachine, type WaveMachineOptions, type WavePinClient } from '../test-wave-client.ts';
import { type CyclicMiniport, CyclicScript, type CyclicStream, cyclicDriver } from './test-card.ts';

export { Packet, type Piece, same, sound, statusOf } from '../test-wave-client.ts';
export type CyclicMachineOptions = WaveMachineOptions;
export type CyclicPinClient = WavePinClient<CyclicStream>;

/** A machine with one WaveCyclic card and one application that speaks to it in KS requests. */
export class CyclicMachine extends WaveMachine<CyclicStream, CyclicMiniport> {
  readonly script: CyclicScript;

  constructor(script = new CyclicScript(), options: CyclicMachineOptions = {}) {
    super((platform) => cyclicDriver(script, platform), options);
    this.script = script;
  }
}
