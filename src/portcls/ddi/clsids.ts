import { guid } from '../../com/index.ts';

/** Class identifiers for {@link pcNewPort} (DDI page PcNewPort): which port driver to create. */
export const CLSID_PortDMus = guid('{B7902FE9-FB0A-11D1-81B0-0060083316C1}');
/** Since Windows XP the same object as {@link CLSID_PortDMus}. */
export const CLSID_PortMidi = guid('{B4C90A43-5791-11D0-86F9-00A0C911B544}');
export const CLSID_PortTopology = guid('{B4C90A32-5791-11D0-86F9-00A0C911B544}');
export const CLSID_PortWaveCyclic = guid('{B4C90A2A-5791-11D0-86F9-00A0C911B544}');
export const CLSID_PortWavePci = guid('{B4C90A54-5791-11D0-86F9-00A0C911B544}');
export const CLSID_PortWaveRT = guid('{CC9BE57A-EB9E-42B4-94FC-0CAD3DBCE7FA}');

/** Class identifiers for {@link pcNewMiniport} (DDI page PcNewMiniport): the miniports that PortCls supplies. */
export const CLSID_MiniportDriverDMusUART = guid('{D3F0CE1C-FFFC-11D1-81B0-0060083316C1}');
export const CLSID_MiniportDriverDMusUARTCapture = guid('{D3F0CE1D-FFFC-11D1-81B0-0060083316C1}');
export const CLSID_MiniportDriverFmSynth = guid('{B4C90AE0-5791-11D0-86F9-00A0C911B544}');
export const CLSID_MiniportDriverFmSynthWithVol = guid('{E5A3C139-F0F2-11D1-81AF-0060083316C1}');
export const CLSID_MiniportDriverUart = guid('{B4C90AE1-5791-11D0-86F9-00A0C911B544}');
