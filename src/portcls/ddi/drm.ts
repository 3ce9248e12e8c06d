import { guid, IID, type IUnknown } from '../../com/index.ts';

/** What the owner of a protected stream allows (DDI page DRMRIGHTS). */
export interface DRMRIGHTS {
  readonly copyProtect: boolean;
  readonly digitalOutputDisable: boolean;
}

/** Optional on a stream: it takes protected content (DDI page IDrmAudioStream). */
export interface IDrmAudioStream extends IUnknown {
  /** Content id 0 stands for default rights. Throws when the stream cannot enforce the rights. PASSIVE_LEVEL. */
  setContentId(contentId: number, drmRights: DRMRIGHTS): void;
}

export const IID_IDrmAudioStream = new IID<IDrmAudioStream>(
  'IID_IDrmAudioStream',
  guid('{1915C967-3299-48CB-A3E4-69FD1D1B306E}'),
);
