// What a dashboard of ours may hold: Grafana's own types, with the options of each kind of
// panel in the place of "anything", and with what Grafana leaves open but we always write.

import type {
  Dashboard,
  DataQuery,
  FieldConfig,
  FieldConfigSource,
  GridPos,
  Panel,
  RowPanel,
  TableFieldOptions,
  ThresholdsConfig,
} from '@grafana/schema';
import type * as heatmap from '@grafana/schema/dist/esm/raw/composable/heatmap/panelcfg/x/HeatmapPanelCfg_types.gen';
import type * as stat from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type * as table from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';
import type * as timeseries from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';

/** A type as JSON has it: where it wants a member of an enumeration, its value will do. */
type Plain<T> = unknown extends T
  ? T
  : T extends string
    ? `${T}`
    : T extends Array<infer Item>
      ? Array<Plain<Item>>
      : T extends object
        ? { [Key in keyof T]: Plain<T[Key]> }
        : T;

interface Prometheus {
  type: 'prometheus';
  uid: '${datasource}';
}

/** Of Prometheus' plugin, whose types are in no package. */
interface Query extends Omit<DataQuery, 'datasource'> {
  datasource: Prometheus;
  editorMode: 'code';
  expr: string;
  legendFormat: string;
  range: boolean;
  instant?: boolean;
  format?: 'time_series' | 'table' | 'heatmap';
}

interface Fields<Custom> extends Pick<FieldConfigSource, 'overrides'> {
  defaults: Omit<FieldConfig, 'custom'> & {
    unit: string;
    thresholds: ThresholdsConfig;
    noValue: string;
    custom?: Custom;
  };
}

interface Shown<Type extends string, Options, Custom = never>
  extends Omit<Panel, 'type' | 'datasource' | 'targets' | 'options' | 'fieldConfig'> {
  id: number;
  type: Type;
  title: string;
  description: string;
  gridPos: GridPos;
  datasource: Prometheus;
  targets: Query[];
  options: Options;
  fieldConfig: Fields<Custom>;
}

type Shows =
  | Shown<'stat', stat.Options>
  | Shown<'timeseries', timeseries.Options, timeseries.FieldConfig>
  | Shown<'heatmap', heatmap.Options, heatmap.FieldConfig>
  // Grafana fills in the rest of the fields' options.
  | Shown<'table', table.Options, Partial<TableFieldOptions>>
  | RowPanel;

export type Ours = Plain<
  Omit<Dashboard, 'id' | 'panels'> & Required<Pick<Dashboard, 'uid' | 'title' | 'templating'>> & {
    schemaVersion: 42;
    panels: Shows[];
  }
>;
