// What came in, day by day: bars in an SVG of our own.
import { useTranslation } from 'react-i18next';
import type { IntakeDay } from '../api/types.ts';
import { useFormat } from '../format.ts';

const WIDTH = 720;
const HEIGHT = 150;
const TOP = 16;
const BOTTOM = 20;
const DAY_MS = 86_400_000;
const SHOWN_DAYS = 90;

/** Every day up to today, those without anything too. */
function allDays(days: readonly IntakeDay[], today: Date): IntakeDay[] {
  const byDay = new Map(days.map((day) => [day.day, day]));
  return Array.from({ length: SHOWN_DAYS }, (_, index) => {
    const day = new Date(today.getTime() - (SHOWN_DAYS - 1 - index) * DAY_MS).toISOString().slice(0, 10);
    return byDay.get(day) ?? { day, instances: 0, bytes: 0 };
  });
}

export function IntakeChart({ days }: { days: readonly IntakeDay[] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const shown = allDays(days, new Date());
  const most = Math.max(...shown.map((day) => day.bytes), 1);
  const total = shown.reduce((sum, day) => sum + day.bytes, 0);
  const step = WIDTH / shown.length;
  const label = t('overview.intakeLabel', { size: format.bytes(total) });
  if (total === 0) return <p className="empty">{t('overview.noIntake')}</p>;
  return (
    <figure className="chart">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label} preserveAspectRatio="none">
        <line className="chart-line" x1={0} x2={WIDTH} y1={TOP} y2={TOP} />
        <line className="chart-line" x1={0} x2={WIDTH} y1={HEIGHT - BOTTOM} y2={HEIGHT - BOTTOM} />
        {shown.map((day, index) => {
          const height = day.bytes === 0 ? 0 : Math.max(2, (day.bytes / most) * (HEIGHT - TOP - BOTTOM));
          return (
            <rect
              key={day.day}
              className={index === shown.length - 1 ? 'chart-bar today' : 'chart-bar'}
              x={index * step + step * 0.15}
              width={step * 0.7}
              y={HEIGHT - BOTTOM - height}
              height={height}
              rx={1.5}
            >
              <title>
                {format.day(day.day)}: {t('count.images', { count: day.instances })},{' '}
                {format.bytes(day.bytes)}
              </title>
            </rect>
          );
        })}
      </svg>
      <figcaption>
        <span>{format.day(shown[0]?.day)}</span>
        <span>{t('overview.mostPerDay', { size: format.bytes(most) })}</span>
        <span>{t('overview.todayShort')}</span>
      </figcaption>
    </figure>
  );
}
