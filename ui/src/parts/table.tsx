// A plain table that becomes a list of cards where there is no room for columns.
import type { ReactNode } from 'react';

export interface Column<T> {
  readonly key: string;
  readonly title: string;
  readonly cell: (row: T) => ReactNode;
  readonly align?: 'end';
  /** the head of the card on a narrow screen */
  readonly lead?: boolean;
}

interface Props<T> {
  readonly label: string;
  readonly columns: readonly Column<T>[];
  readonly rows: readonly T[];
  readonly rowKey: (row: T) => string;
  /** words for an empty table */
  readonly empty: ReactNode;
}

export function Table<T>({ label, columns, rows, rowKey, empty }: Props<T>) {
  if (rows.length === 0) return <p className="empty">{empty}</p>;
  return (
    <table className="table" aria-label={label}>
      <thead>
        <tr>
          {columns.map(({ key, title, align }) => (
            <th key={key} scope="col" className={align}>
              {title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={rowKey(row)}>
            {columns.map(({ key, title, cell, align, lead }) => (
              <td key={key} data-label={title} className={[align, lead ? 'lead' : ''].join(' ')}>
                <div className="cell">{cell(row)}</div>
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
