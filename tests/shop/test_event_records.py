from pathlib import Path

from huaxiang.records import EventType
from huaxiang.shop.event_records import event_record, event_row
from shop.shops import EVENTS, ITEMS, shop_of

SAID = """shopper_id,item_id,type,occurred_at,query,text,device,channel,rating
s1,,search,2025-03-03T10:00:00Z,warm scarf,,phone,app,
s1,a,review,2025-03-03T10:00:00Z,,Soft,,,4
"""


def test_a_row_read_as_a_record_and_back_is_the_row(tmp_path: Path) -> None:
    for text in (EVENTS, SAID):
        shop = shop_of(tmp_path, items_csv=ITEMS, events_csv=text)
        for row, stated in enumerate(shop.events.rows(named=True)):
            event = event_record(shop, row)
            item_row = None if event.item_id is None else shop.items["item_id"].to_list().index(event.item_id)
            back = event_row(event, item_row=item_row, new_order=stated["new_order"])
            assert back == {**stated, "line": None}


def test_a_search_is_a_query_and_a_review_a_text(tmp_path: Path) -> None:
    shop = shop_of(tmp_path, items_csv=ITEMS, events_csv=SAID)
    search, review = event_record(shop, 0), event_record(shop, 1)
    assert (search.type, search.query, search.item_id) == (EventType.SEARCH, "warm scarf", None)
    assert search.context == {"device": "phone", "channel": "app"}
    assert (review.item_id, review.text, review.value.rating) == ("a", "Soft", 4.0)
