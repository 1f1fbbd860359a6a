// The input that fits one setting, chosen by its JSON Schema.
import { Checkbox, Input, InputNumber, Select, Switch } from 'antd';
import { useTranslation } from 'react-i18next';
import type { SettingSchema } from '../api/types.ts';
import { useWords } from '../words.ts';

const GIGABYTE = 1e9;

interface Props {
  readonly id: string;
  readonly path: string;
  readonly schema: SettingSchema;
  readonly value: unknown;
  readonly onChange: (value: unknown) => void;
}

/** What a number counts, by the end of its name. */
function unitOf(path: string): string | undefined {
  if (/Bytes$/.test(path)) return 'GB';
  if (/megabytesPerSecond$/.test(path)) return 'MB/s';
  return /(days|hours|minutes|seconds)$/i.exec(path)?.[1]?.toLowerCase();
}

export function SettingInput(props: Props) {
  const { id, path, schema, value, onChange } = props;
  const { t } = useTranslation();
  const words = useWords();
  const automatic = schema.anyOf?.find((one) => typeof one.const === 'string')?.const;
  if (automatic !== undefined) return <Automatic {...props} automatic={automatic} />;
  if (schema.enum !== undefined) {
    return (
      <Select
        id={id}
        value={value}
        options={schema.enum.map((one) => ({ value: one, label: words(`choice.${path}.${one}`, one) }))}
        onChange={onChange}
      />
    );
  }
  if (schema.type === 'boolean') return <Switch id={id} checked={value === true} onChange={onChange} />;
  if (schema.type === 'integer' || schema.type === 'number') return <NumberInput {...props} />;
  if (schema.type === 'array') {
    return (
      <Select
        id={id}
        mode="tags"
        open={false}
        suffixIcon={null}
        value={Array.isArray(value) ? value.map(String) : []}
        onChange={onChange}
      />
    );
  }
  if (schema.writeOnly) {
    return (
      <Input.Password
        id={id}
        autoComplete="new-password"
        placeholder={t('settings.secret')}
        onChange={(event) => onChange(event.target.value)}
      />
    );
  }
  return (
    <Input
      id={id}
      value={typeof value === 'string' ? value : ''}
      spellCheck={false}
      onChange={(event) => onChange(event.target.value === '' ? undefined : event.target.value)}
    />
  );
}

function NumberInput({ id, path, schema, value, onChange }: Props) {
  const words = useWords();
  const unit = unitOf(path);
  const factor = unit === 'GB' ? GIGABYTE : 1;
  return (
    <InputNumber
      id={id}
      controls={false}
      min={schema.minimum === undefined ? 0 : schema.minimum / factor}
      {...(schema.maximum === undefined ? {} : { max: schema.maximum / factor })}
      value={typeof value === 'number' ? value / factor : null}
      {...(unit === undefined ? {} : { suffix: words(`unit.${unit}`, unit) })}
      onChange={(typed) => onChange(typeof typed === 'number' ? Math.round(typed * factor) : undefined)}
    />
  );
}

/** A number, or left to the program. */
function Automatic(props: Props & { automatic: unknown }) {
  const { t } = useTranslation();
  const { automatic, value, schema, onChange } = props;
  const own = schema.anyOf?.find((one) => one.const === undefined) ?? {};
  return (
    <div className="automatic">
      <Checkbox
        checked={value === automatic}
        onChange={(event) => onChange(event.target.checked ? automatic : (own.minimum ?? 0))}
      >
        {t('settings.automatic')}
      </Checkbox>
      {value !== automatic && <NumberInput {...props} schema={own} />}
    </div>
  );
}
