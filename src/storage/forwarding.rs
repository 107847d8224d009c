//! For tests: a store before another one, that changes a little of what it does. What is not written down goes on as it is, so
//! a new method of a store is added here, once.
//!
//! A test in `tests/` has this file as a module of its own; `$lib` is `crate` here and `sluis` there.

/// Implements `Store` for a type with a store in `inner`, from these methods and the other's for the rest. `begin` is among
/// them. With `before` a method of the type's own is awaited before each of the others.
macro_rules! forward_store {
    (@ $lib:tt, $store:ty, [$($step:ident)?], $($own:tt)*) => {
        #[async_trait::async_trait]
        impl $lib::storage::Store for $store {
            $($own)*

            async fn head(
                &self,
            ) -> ::std::result::Result<Option<$lib::storage::Head>, $lib::storage::StoreFault> {
                $(self.$step().await;)?
                self.inner.head().await
            }

            async fn grants(
                &self,
                tag: &$lib::subject::Tag,
                recipient: $lib::domain::Oin,
                role: $lib::domain::Role,
                purpose: &$lib::domain::Purpose,
            ) -> ::std::result::Result<Vec<$lib::storage::StoredGrant>, $lib::storage::StoreFault> {
                $(self.$step().await;)?
                self.inner.grants(tag, recipient, role, purpose).await
            }

            async fn form(
                &self,
                id: $lib::domain::FormId,
            ) -> ::std::result::Result<Option<$lib::storage::StoredForm>, $lib::storage::StoreFault> {
                $(self.$step().await;)?
                self.inner.form(id).await
            }

            async fn forms_of(
                &self,
                tag: &$lib::subject::Tag,
                recorder: $lib::domain::Oin,
            ) -> ::std::result::Result<Vec<$lib::storage::StoredForm>, $lib::storage::StoreFault> {
                $(self.$step().await;)?
                self.inner.forms_of(tag, recorder).await
            }

            async fn grant(
                &self,
                id: $lib::domain::GrantId,
            ) -> ::std::result::Result<Option<$lib::storage::StoredGrant>, $lib::storage::StoreFault> {
                $(self.$step().await;)?
                self.inner.grant(id).await
            }

            async fn disclosures(
                &self,
                filter: &$lib::storage::DisclosureFilter,
            ) -> ::std::result::Result<Vec<$lib::storage::StoredDisclosure>, $lib::storage::StoreFault> {
                $(self.$step().await;)?
                self.inner.disclosures(filter).await
            }

            async fn events_after(
                &self,
                of: $lib::domain::Oin,
                position: u64,
                limit: u32,
            ) -> ::std::result::Result<Vec<$lib::storage::StoredEvent>, $lib::storage::StoreFault> {
                $(self.$step().await;)?
                self.inner.events_after(of, position, limit).await
            }

            async fn received(
                &self,
                recipient: $lib::domain::Oin,
            ) -> ::std::result::Result<Vec<($lib::consent::Standing, Vec<u64>)>, $lib::storage::StoreFault> {
                $(self.$step().await;)?
                self.inner.received(recipient).await
            }

            async fn expiring(
                &self,
                recorder: $lib::domain::Oin,
                from: $lib::domain::Timestamp,
                until: $lib::domain::Timestamp,
            ) -> ::std::result::Result<Vec<$lib::storage::Expiring>, $lib::storage::StoreFault> {
                $(self.$step().await;)?
                self.inner.expiring(recorder, from, until).await
            }

            async fn acknowledged(
                &self,
                organisation: $lib::domain::Oin,
            ) -> ::std::result::Result<$lib::storage::Cursor, $lib::storage::StoreFault> {
                $(self.$step().await;)?
                self.inner.acknowledged(organisation).await
            }

            async fn client_key(
                &self,
                subject: $lib::domain::SubjectId,
                year: i32,
            ) -> ::std::result::Result<Option<$lib::storage::WrappedKey>, $lib::storage::StoreFault> {
                $(self.$step().await;)?
                self.inner.client_key(subject, year).await
            }

            async fn entries(
                &self,
                from: u64,
                limit: u32,
            ) -> ::std::result::Result<Vec<$lib::storage::StoredEntry>, $lib::storage::StoreFault> {
                $(self.$step().await;)?
                self.inner.entries(from, limit).await
            }

            async fn search(
                &self,
                filter: &$lib::storage::EntryFilter,
            ) -> ::std::result::Result<Vec<$lib::storage::StoredEntry>, $lib::storage::StoreFault> {
                $(self.$step().await;)?
                self.inner.search(filter).await
            }

            async fn tiles(
                &self,
                shard: u64,
                level: u8,
                from: u64,
                limit: u32,
            ) -> ::std::result::Result<Vec<(u64, Vec<u8>)>, $lib::storage::StoreFault> {
                $(self.$step().await;)?
                self.inner.tiles(shard, level, from, limit).await
            }

            async fn shards(
                &self,
            ) -> ::std::result::Result<Vec<$lib::storage::Shard>, $lib::storage::StoreFault> {
                $(self.$step().await;)?
                self.inner.shards().await
            }

            async fn shard_of(
                &self,
                position: u64,
            ) -> ::std::result::Result<Option<$lib::storage::Shard>, $lib::storage::StoreFault> {
                $(self.$step().await;)?
                self.inner.shard_of(position).await
            }

            async fn subject_of(
                &self,
                tag: &$lib::subject::Tag,
            ) -> ::std::result::Result<Option<$lib::domain::SubjectId>, $lib::storage::StoreFault> {
                $(self.$step().await;)?
                self.inner.subject_of(tag).await
            }

            async fn traces(
                &self,
                subject: $lib::domain::SubjectId,
            ) -> ::std::result::Result<$lib::storage::Traces, $lib::storage::StoreFault> {
                $(self.$step().await;)?
                self.inner.traces(subject).await
            }

            async fn expire(
                &self,
                terms: &$lib::storage::Terms,
                limit: u32,
            ) -> ::std::result::Result<u64, $lib::storage::StoreFault> {
                $(self.$step().await;)?
                self.inner.expire(terms, limit).await
            }

            async fn scrub(&self) -> ::std::result::Result<(), $lib::storage::StoreFault> {
                $(self.$step().await;)?
                self.inner.scrub().await
            }

            async fn is_scrub_due(&self) -> ::std::result::Result<bool, $lib::storage::StoreFault> {
                $(self.$step().await;)?
                self.inner.is_scrub_due().await
            }

            async fn request_of(
                &self,
                pair: $lib::domain::PairId,
            ) -> ::std::result::Result<Option<$lib::storage::StoredEntry>, $lib::storage::StoreFault> {
                $(self.$step().await;)?
                self.inner.request_of(pair).await
            }

            async fn logboek(&self) -> ::std::result::Result<u64, $lib::storage::StoreFault> {
                $(self.$step().await;)?
                self.inner.logboek().await
            }

            async fn logboek_turn(
                &self,
            ) -> ::std::result::Result<
                Option<Box<dyn $lib::storage::LogboekTurn + '_>>,
                $lib::storage::StoreFault,
            > {
                $(self.$step().await;)?
                self.inner.logboek_turn().await
            }

            async fn open_requests(
                &self,
                before: $lib::domain::Timestamp,
            ) -> ::std::result::Result<Vec<$lib::storage::OpenRequest>, $lib::storage::StoreFault> {
                $(self.$step().await;)?
                self.inner.open_requests(before).await
            }

            fn is_shared(&self) -> bool {
                self.inner.is_shared()
            }

            fn is_alone(&self) -> bool {
                self.inner.is_alone()
            }

            fn transactions(&self) -> &$lib::storage::Transactions {
                self.inner.transactions()
            }

            async fn close(&self) {
                $(self.$step().await;)?
                self.inner.close().await;
            }
        }
    };
    ($lib:tt, $store:ty, before $step:ident; $($own:tt)*) => {
        forward_store! { @ $lib, $store, [$step], $($own)* }
    };
    ($lib:tt, $store:ty, $($own:tt)*) => {
        forward_store! { @ $lib, $store, [], $($own)* }
    };
}
pub(crate) use forward_store;

/// The same for `Commit`; `commit` and `confirm` are among the methods.
macro_rules! forward_commit {
    ($lib:tt, $commit:ty, $($own:tt)*) => {
        #[async_trait::async_trait]
        impl $lib::storage::Commit for $commit {
            $($own)*

            async fn traces(
                &mut self,
                subject: $lib::domain::SubjectId,
            ) -> ::std::result::Result<$lib::storage::Traces, $lib::storage::StoreFault> {
                self.inner.traces(subject).await
            }

            async fn open(
                &mut self,
                limit: u32,
            ) -> ::std::result::Result<Vec<$lib::domain::PairId>, $lib::storage::StoreFault> {
                self.inner.open(limit).await
            }

            async fn abandon(self: Box<Self>) {
                self.inner.abandon().await;
            }
        }
    };
}
pub(crate) use forward_commit;
