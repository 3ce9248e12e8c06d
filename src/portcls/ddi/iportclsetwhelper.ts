import { guid, IID, type IUnknown } from '../../com/index.ts';

/** Kinds of engine events a miniport reports (DDI page EPcMiniportEngineEvent). */
export const eMINIPORT_IHV_DEFINED = 0;
export const eMINIPORT_BUFFER_COMPLETE = 1;
export const eMINIPORT_PIN_STATE = 2;
export const eMINIPORT_GET_STREAM_POS = 3;
export const eMINIPORT_SET_WAVERT_BUFFER_WRITE_POS = 4;
export const eMINIPORT_GET_PRESENTATION_POS = 5;
export const eMINIPORT_PROGRAM_DMA = 6;
export const eMINIPORT_GLITCH_REPORT = 7;
export const eMINIPORT_LAST_BUFFER_RENDERED = 8;
export const eMINIPORT_PROCESSING_MODE = 9;
export const eMINIPORT_FX_CLSID = 10;

/** Reports of a miniport to the trace (DDI page IPortClsEtwHelper). Any IRQL. */
export interface IPortClsEtwHelper extends IUnknown {
  miniportWriteEtwEvent(
    miniportEventType: number,
    data1: number,
    data2: number,
    data3: number,
    data4: number,
  ): void;
}

export const IID_IPortClsEtwHelper = new IID<IPortClsEtwHelper>(
  'IID_IPortClsEtwHelper',
  guid('{80EF6667-E8B1-4252-AB09-8F6D5EBBD19F}'),
);
