// The rest of a long list, a page at a time: by itself when its end comes into sight, or pressed.
import { Button } from 'antd';
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';

interface Props {
  readonly query: {
    readonly hasNextPage: boolean;
    readonly isFetchingNextPage: boolean;
    readonly fetchNextPage: () => unknown;
  };
}

export function MoreButton({ query: { hasNextPage, isFetchingNextPage, fetchNextPage } }: Props) {
  const { t } = useTranslation();
  const end = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // Looked at anew after each page: one may hold nothing, and the end stays in sight.
    if (!hasNextPage || isFetchingNextPage || end.current === null) return;
    const seen = new IntersectionObserver(([entry]) => {
      if (entry?.isIntersecting) fetchNextPage();
    });
    seen.observe(end.current);
    return () => seen.disconnect();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  if (!hasNextPage) return null;
  return (
    <div ref={end} className="more">
      <Button loading={isFetchingNextPage} onClick={() => fetchNextPage()}>
        {t('common.showMore')}
      </Button>
    </div>
  );
}
