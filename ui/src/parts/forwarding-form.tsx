// Add or change a rule of forwarding: where to, and which images. A field left empty is no condition.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Button, Drawer, Form, Input, InputNumber, Radio, Select } from 'antd';
import { useTranslation } from 'react-i18next';
import { Problem, post, put } from '../api/client.ts';
import { destinations, forwardingRules } from '../api/queries.ts';
import type { ForwardingRule, ForwardingRuleEntry, Peer } from '../api/types.ts';
import { useFaultWords } from '../words.ts';
import { ProblemNote } from './problem-note.tsx';
import { SOP_CLASSES } from './sop-classes.ts';

const MODALITIES = ['XA', 'RF', 'IVUS', 'OCT', 'US', 'CT', 'MR', 'SR', 'PR', 'OT'];
const QUIET_SECONDS = 120;
const LONGEST_QUIET_SECONDS = 86_400;

interface Props {
  /** the rule to change; none: a new one */
  readonly rule?: ForwardingRule;
  /** those to which something can go */
  readonly peers: readonly Peer[];
  readonly onClose: () => void;
}

type Fields = Partial<ForwardingRuleEntry>;

function entryOf({ source, modality, sopClass, description, ...rest }: Fields): Fields {
  const text = description?.trim() ?? '';
  return {
    ...rest,
    ...(source?.length ? { source } : {}),
    ...(modality?.length ? { modality: modality.map((one) => one.trim().toUpperCase()) } : {}),
    ...(sopClass?.length ? { sopClass } : {}),
    ...(text === '' ? {} : { description: text }),
  };
}

export function ForwardingForm({ rule, peers, onClose }: Props) {
  const { t } = useTranslation();
  const faultWords = useFaultWords();
  const client = useQueryClient();
  const [form] = Form.useForm<Fields>();
  const unit = Form.useWatch('unit', form);
  const save = useMutation({
    mutationFn: (fields: Fields) =>
      rule === undefined
        ? post('/forwarding/rules', entryOf(fields))
        : put(`/forwarding/rules/${rule.id}`, entryOf(fields)),
    onSuccess: async () => {
      await Promise.all(
        [forwardingRules, destinations].map(({ queryKey }) => client.invalidateQueries({ queryKey })),
      );
      onClose();
    },
    onError: (error) => {
      if (!(error instanceof Problem)) return;
      // `modality[0]` is a fault of the field `modality`.
      const faults = error.errors.map((fault) => ({
        name: fault.path.replace(/\W.*$/, '') as keyof Fields,
        errors: [faultWords(fault)],
      }));
      form.setFields(faults.filter(({ name }) => form.getFieldInstance(name) !== undefined));
    },
  });
  const titles = peers.map(({ aeTitle }) => ({ value: aeTitle, label: aeTitle }));
  const { id: _id, ...known } = rule ?? {
    id: undefined,
    unit: 'study' as const,
    quietSeconds: QUIET_SECONDS,
  };
  return (
    <Drawer
      open
      size={460}
      title={rule === undefined ? t('forwarding.add') : t('forwarding.change', { name: rule.destination })}
      onClose={onClose}
      footer={
        <div className="drawer-foot">
          <span className="grow" />
          <Button onClick={onClose}>{t('common.cancel')}</Button>
          <Button type="primary" loading={save.isPending} onClick={() => form.submit()}>
            {t('common.save')}
          </Button>
        </div>
      }
    >
      <Form<Fields>
        form={form}
        layout="vertical"
        initialValues={known}
        onFinish={(fields) => save.mutate(fields)}
      >
        <Form.Item
          name="destination"
          label={t('forwarding.to')}
          rules={[{ required: true, message: t('devices.needed') }]}
        >
          <Select options={titles} placeholder={t('forwarding.toExample')} />
        </Form.Item>
        <Form.Item name="unit" label={t('forwarding.when')}>
          <Radio.Group
            className="stacked"
            options={(['study', 'instance'] as const).map((value) => ({
              value,
              label: t(`forwarding.unit.${value}`),
            }))}
          />
        </Form.Item>
        {/* Kept while it is out of sight. */}
        <Form.Item
          name="quietSeconds"
          label={t('forwarding.quiet')}
          extra={t('forwarding.quietText')}
          hidden={unit === 'instance'}
        >
          <InputNumber
            className="with-unit"
            min={1}
            max={LONGEST_QUIET_SECONDS}
            controls={false}
            suffix={t('unit.seconds')}
          />
        </Form.Item>
        <p className="soft">{t('forwarding.conditions')}</p>
        <Form.Item name="source" label={t('forwarding.source')}>
          <Select mode="tags" options={titles} placeholder={t('forwarding.any')} />
        </Form.Item>
        <Form.Item name="modality" label={t('forwarding.modality')}>
          <Select
            mode="tags"
            options={MODALITIES.map((value) => ({ value, label: value }))}
            placeholder={t('forwarding.any')}
          />
        </Form.Item>
        <Form.Item name="sopClass" label={t('forwarding.sopClass')}>
          <Select
            mode="tags"
            optionFilterProp="label"
            options={[...SOP_CLASSES].map(([value, key]) => ({ value, label: t(`sopClass.${key}`) }))}
            placeholder={t('forwarding.any')}
          />
        </Form.Item>
        <Form.Item
          name="description"
          label={t('forwarding.description')}
          extra={t('forwarding.descriptionText')}
        >
          <Input maxLength={64} placeholder="*coronary*" spellCheck={false} allowClear />
        </Form.Item>
        {save.error && <ProblemNote error={save.error} inForm />}
      </Form>
    </Drawer>
  );
}
