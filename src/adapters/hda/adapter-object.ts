import { CUnknown, type IID } from '../../com/index.ts';
import { NtError, STATUS_DEVICE_NOT_CONNECTED, STATUS_NO_SUCH_DEVICE } from '../../kernel/index.ts';
import {
  type DEVICE_POWER_STATE,
  type IAdapterPowerManagement,
  IID_IAdapterPowerManagement,
  type IResourceList,
  PowerDeviceD0,
} from '../../portcls/index.ts';
import { type CodecDevice, initialiseCodec, planCodec, readCodecGraph } from './codec/index.ts';
import { type DmaAdapterSource, HdaController } from './controller.ts';
import { HdaFunction } from './function.ts';
import type { NameList } from './names.ts';
import type { HdaPciConfig } from './pci-config.ts';

/** The adapter object: controller, codecs, and power for both. */
export class HdaAdapter extends CUnknown implements IAdapterPowerManagement {
  readonly controller: HdaController;
  readonly #pciConfig: HdaPciConfig;
  #functions: readonly HdaFunction[] = [];

  /** Takes `pciConfig` over. @throws NtError as {@link HdaController} */
  constructor(resourceList: IResourceList, pciConfig: HdaPciConfig, dmaAdapterOf: DmaAdapterSource) {
    super('HdaAdapter');
    this.#pciConfig = pciConfig;
    try {
      this.controller = new HdaController(resourceList, dmaAdapterOf);
    } catch (error) {
      pciConfig.close();
      throw error;
    }
  }

  /**
   * Brings controller and codecs up; the codecs' audio functions are the caller's to release. `names` is given the texts of their pins and
   * nodes. PASSIVE_LEVEL.
   *
   * @throws NtError STATUS_NO_SUCH_DEVICE when no codec has anything to play to or record from; what the last codec refused with
   */
  start(resourceList: IResourceList, names: NameList): readonly HdaFunction[] {
    this.#pciConfig.prepare();
    this.controller.powerUp();
    this.controller.connectInterrupt(resourceList);
    const codecs = this.#readCodecs();
    this.#functions = codecs.map((codec) => new HdaFunction(this, codec, names));
    this.controller.onUnsolicited = ({ codecAddress, response }) => {
      for (const { codec, jacks } of this.#functions)
        if (codec.graph.address === codecAddress) jacks.unsolicited(response);
    };
    for (const { jacks } of this.#functions) jacks.refresh();
    return this.#functions;
  }

  /** A codec that cannot be understood leaves the others alone. */
  #readCodecs(): CodecDevice[] {
    const codecs: CodecDevice[] = [];
    let refused: NtError | null = null;
    for (const address of this.controller.codecAddresses) {
      try {
        const { link } = this.controller;
        const graph = readCodecGraph(link, address);
        const plan = planCodec(graph);
        if (plan.devices.length > 0) codecs.push(initialiseCodec(link, graph, plan));
      } catch (error) {
        if (!(error instanceof NtError) || error.status === STATUS_DEVICE_NOT_CONNECTED) throw error;
        refused = error;
      }
    }
    if (codecs.length > 0) return codecs;
    throw (
      refused ??
      new NtError(STATUS_NO_SUCH_DEVICE, 'HDA: no codec has a converter and a jack that belong together.')
    );
  }

  /** The last user of a function is gone. */
  forget(hdaFunction: HdaFunction): void {
    this.#functions = this.#functions.filter((one) => one !== hdaFunction);
  }

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    return iid.guid.equals(IID_IAdapterPowerManagement.guid) ? this : null;
  }

  protected override finalRelease(): void {
    this.controller.onUnsolicited = null;
    this.controller.close();
    this.#pciConfig.close();
  }

  /* ---- IAdapterPowerManagement ---- */

  powerChangeState(newState: DEVICE_POWER_STATE): void {
    const on = newState === PowerDeviceD0;
    if (on === this.controller.powered) return;
    if (on) {
      this.#pciConfig.prepare();
      this.controller.powerUp();
      for (const { codec } of this.#functions) codec.powerUp();
      // What was plugged or pulled meanwhile nobody has told.
      for (const { jacks } of this.#functions) jacks.refresh();
      return;
    }
    if (this.controller.present) for (const { codec } of this.#functions) codec.powerDown();
    this.controller.powerDown();
  }

  queryPowerChangeState(_newState: DEVICE_POWER_STATE): void {}

  queryDeviceCapabilities(): void {}
}
